/// What went wrong with something that a user gave or asked for: which file, where in it, what was expected,
/// what was found and what to do about it.
///
/// `kind` decides the exit status of the program (sysexits.h); a library user may switch over it.
public struct DataError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong, with the exit status of the program (sysexits.h) as its raw value.
    public enum Kind: Int32, Sendable {
        /// The request itself makes no sense (exit status 64).
        case usage = 64
        /// The data is there but damaged or of the wrong kind (65).
        case badData = 65
        /// The input does not exist or cannot be read (66).
        case noInput = 66
        /// A service could not be reached (69).
        case unavailable = 69
        /// There is not enough memory (71).
        case memory = 71
        /// The output cannot be created (73).
        case cannotCreate = 73
        /// Reading or writing broke off (74).
        case inputOutput = 74
        /// The user stopped the work; what was finished is kept (130).
        case interrupted = 130
    }

    /// What went wrong.
    public var kind: Kind
    /// The file as the user named it.
    public var file: String?
    /// Line, row or record in that file, from 1.
    public var line: Int?
    /// What was expected, what was found, and what to do: one or two sentences.
    public var message: String

    /// An error of a kind, with the place where it occurred, as far as it is known.
    public init(_ kind: Kind, _ message: String, file: String? = nil, line: Int? = nil) {
        self.kind = kind
        self.message = message
        self.file = file
        self.line = line
    }

    /// `file:line: message`, without the parts that are unknown.
    public var description: String {
        switch (file, line) {
        case (let file?, let line?): "\(file):\(line): \(message)"
        case (let file?, nil): "\(file): \(message)"
        case (nil, let line?): "line \(line): \(message)"
        case (nil, nil): message
        }
    }
}
