import Foundation
import Simulation
import Tensors
import Testing

@Suite struct CounterRandomTests {
    /// Known answers of Random123's kat_vectors.
    @Test func philoxKnownAnswers() {
        #expect(CounterRandom.block(counter: (0, 0, 0, 0), key: 0) == [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8])
        #expect(
            CounterRandom.block(counter: (0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff), key: .max) == [
                0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd,
            ])
        #expect(
            CounterRandom.block(counter: (0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: 0x299f_31d0_a409_3822)
                == [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1])
    }

    @Test func normalMomentsAndTails() {
        let count = 4_000_000, numbers = UnsafeMutableBufferPointer<Double>.allocate(capacity: count)
        defer { numbers.deallocate() }
        CounterRandom(seed: 7).normals(into: numbers, stream: 3, chunk: 2, step: 1)
        var sums = [Double](repeating: 0, count: 5)
        var beyond2 = 0, neighbours = 0.0
        for i in 0..<count {
            let x = numbers[i]
            for k in 1...4 { sums[k] += pow(x, Double(k)) }
            if abs(x) > 2 { beyond2 += 1 }
            if i > 0 { neighbours += x * numbers[i - 1] }
        }
        let n = Double(count)
        #expect(abs(sums[1] / n) < 4 / n.squareRoot())
        #expect(abs(sums[2] / n - 1) < 4 * (2 / n).squareRoot())
        #expect(abs(sums[3] / n) < 4 * (15 / n).squareRoot())
        #expect(abs(sums[4] / n - 3) < 4 * (96 / n).squareRoot())
        #expect(abs(Double(beyond2) / n - 0.0455003) < 4 * (0.0455 * 0.9545 / n).squareRoot())
        #expect(abs(neighbours / n) < 4 / n.squareRoot())
    }

    /// The numbers themselves: our logarithm, sine and cosine against the C library's.
    @Test func boxMullerOfPhiloxWords() {
        let numbers = UnsafeMutableBufferPointer<Double>.allocate(capacity: 400)
        defer { numbers.deallocate() }
        CounterRandom(seed: 0x0123_4567_89ab_cdef).normals(into: numbers, stream: 5, chunk: 9, step: 11)
        for j in 0..<100 {
            let x = CounterRandom.block(counter: (UInt32(j), 11, 9, 5), key: 0x0123_4567_89ab_cdef)
            let radius = (-2 * log((Double(x[0]) + 0.5) / 0x1p32)).squareRoot(), angle = 2 * Double.pi * Double(x[1]) / 0x1p32
            #expect(abs(numbers[j] - radius * cos(angle)) < 1e-12)
            #expect(abs(numbers[j + 100] - radius * sin(angle)) < 1e-12)
        }
    }
}
