import ArgumentParser

/// An option that would be passed over in silence is a mistake: the result would not be what was asked for.
/// - Parameters:
///   - given: names of options and whether they are set.
///   - reason: why they are not allowed, such as "needs --tree".
func refuse(_ given: [(name: String, isGiven: Bool)], _ reason: String) throws {
    if let first = given.first(where: \.isGiven) { throw ValidationError("\(first.name) \(reason)") }
}
