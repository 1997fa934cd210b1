import Foundation

/// A choice of the caller that a message advises: an argument in Swift, an option of the program.
///
/// A message holds it as `` `column` `` by interpolation (`"name it by \(Setting.column)"`). Whoever shows the message to a person puts in
/// the form that this person types, by ``spelled(_:as:)``.
package enum Setting: String, CaseIterable, Sendable, CustomStringConvertible {
    case append
    case bad
    case buckets
    case codes
    case column
    case columns
    case cue
    case dictionary
    case dimension
    case encoding
    case epochs
    case folds
    case force
    case format
    case freeze
    case fresh
    case good
    case head
    case header
    case headerRow = "header-row"
    case inside
    case item
    case keepUnknown = "keep-unknown"
    case kernels
    case label
    case learningRate = "learning-rate"
    case length
    case lossy
    case maxSize = "max-size"
    case maximumN = "maximum-n"
    case minimumCount = "minimum-count"
    case minimumN = "minimum-n"
    case model
    case negative
    case noHeader = "no-header"
    case occurrences
    case oddOneOut = "odd-one-out"
    case options
    case pieceModel = "piece-model"
    case punctuation
    case resume
    case run
    case setfit
    case sheet
    case split
    case stratify
    case stride
    case subsample
    case task
    case tokens
    case truncateDim = "truncate-dim"
    case vocabulary
    case window
    case word

    package var description: String { "`\(rawValue)`" }

    /// The message with every setting in it as `form` writes it: `--column` for the program.
    package static func spelled(_ message: String, as form: (String) -> String) -> String {
        guard message.contains("`") else { return message }
        return allCases.reduce(message) { $0.replacingOccurrences(of: $1.description, with: form($1.rawValue)) }
    }
}
