import Foundation
import FuzzTargets
import Testing

/// What fuzzing began with and what it once found: every file is read to its end or refused, soon.
@Suite struct RegressionTests {
    @Test(arguments: FuzzTarget.allCases)
    func seedsAndFindings(target: FuzzTarget) throws {
        #expect(!target.seeds.isEmpty)
        for seed in target.seeds {
            let data = try Data(contentsOf: seed)
            let time = try ContinuousClock().measure { try data.withUnsafeBytes { try target.run($0) } }
            #expect(time < .seconds(20), "\(seed.lastPathComponent): \(time)")
        }
    }
}
