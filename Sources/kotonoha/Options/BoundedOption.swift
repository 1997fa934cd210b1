import ArgumentParser
import FileFormats

/// Numeric options with bounds: `@Option(in: .threads, help: "Number of threads.") var threads = 4`. The help says what the bounds are,
/// and a number outside them is a mistake on the command line.
extension Option where Value: Comparable & LosslessStringConvertible & Sendable {
    init(wrappedValue: Value, name: NameSpecification = .long, in bounds: Bounds<Value>, help: ArgumentHelp = "") {
        self.init(
            wrappedValue: wrappedValue, name: name, help: help.adding("\(bounds); default: \(wrappedValue)"),
            transform: { try bounds.parse($0) })
    }

    init(name: NameSpecification = .long, in bounds: Bounds<Value>, help: ArgumentHelp = "") {
        self.init(name: name, help: help.adding("\(bounds)"), transform: { try bounds.parse($0) })
    }
}

extension Option {
    init<Number>(name: NameSpecification = .long, in bounds: Bounds<Number>, help: ArgumentHelp = "") where Value == Number? {
        self.init(name: name, help: help.adding("\(bounds)"), transform: { try bounds.parse($0) })
    }
}

extension ArgumentHelp {
    fileprivate func adding(_ remark: String) -> ArgumentHelp {
        var help = self
        help.abstract += (abstract.isEmpty ? "" : " ") + "(\(remark))"
        return help
    }
}
