import Statistics

/// A share of items with its 95 % interval (Wilson 1927); not a number, and the whole range, where there are none.
struct Share {
    let value: Double
    let interval: ClosedRange<Double>

    init(_ successes: Int, of count: Int) {
        let estimate = try? Proportion(successes, of: count).wilson()
        value = estimate?.value ?? .nan
        interval = estimate?.interval ?? 0...1
    }
}
