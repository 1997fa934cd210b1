import Tensors
import Testing

@Suite struct FactorizationTests {
    private func random(_ rows: Int, _ columns: Int, seed: UInt64) -> Tensor<Double> {
        var source = RandomSource(seed: seed)
        return Tensor((0..<rows * columns).map { _ in source.normal() }, shape: [rows, columns])
    }

    private func distance(_ a: Tensor<Double>, _ b: Tensor<Double>) -> Double {
        zip(a.elements, b.elements).map { abs($0 - $1) }.max() ?? 0
    }

    private func identity(_ n: Int) -> Tensor<Double> { Tensor((0..<n * n).map { $0 / n == $0 % n ? 1 : 0 }, shape: [n, n]) }

    @Test func eigenvectorsOfAMatrixThatIsKnown() throws {
        // [[2, 1], [1, 2]] has 3 along (1, 1) and 1 along (1, −1).
        let found = try symmetricEigenvectors(Tensor([2, 1, 1, 2], shape: [2, 2]), count: 2)
        #expect(abs(found.values[0] - 3) < 1e-14 && abs(found.values[1] - 1) < 1e-14)
        #expect(abs(abs(found.vectors[0, 0]) - 0.5.squareRoot()) < 1e-14 && abs(found.vectors[0, 0] - found.vectors[0, 1]) < 1e-14)
        #expect(abs(found.vectors[1, 0] + found.vectors[1, 1]) < 1e-14)
    }

    @Test(arguments: [(1, 1), (5, 5), (40, 3), (40, 40), (7, 0)]) func eigenvectorsSatisfyTheirEquation(n: Int, count: Int) throws {
        let a = random(n, n, seed: 1), symmetric = matrixProduct(a, transposed: true, a)
        let found = try symmetricEigenvectors(symmetric, count: count)
        #expect(found.values.count == count && found.vectors.shape == [count, n])
        #expect(zip(found.values, found.values.dropFirst()).allSatisfy { $0 >= $1 })
        guard count > 0 else { return }
        // A v = λ v, and v vᵀ = 1.
        let image = matrixProduct(found.vectors, symmetric)
        for (i, value) in found.values.enumerated() {
            for c in 0..<n { #expect(abs(image[i, c] - value * found.vectors[i, c]) < 1e-11 * max(1, found.values[0])) }
        }
        #expect(distance(matrixProduct(found.vectors, transposed: false, found.vectors, transposed: true), identity(count)) < 1e-12)
        if count == n {
            #expect(abs(found.values.reduce(0, +) - (0..<n).reduce(0) { $0 + symmetric[$1, $1] }) < 1e-10 * max(1, found.values[0]))
        }
    }

    @Test func onlyTheLowerTriangleIsRead() throws {
        var a = matrixProduct(random(6, 6, seed: 2), transposed: true, random(6, 6, seed: 2))
        let whole = try symmetricEigenvectors(a, count: 6)
        for r in 0..<6 { for c in r + 1..<6 { a[r, c] = 1000 } }
        let lower = try symmetricEigenvectors(a, count: 6)
        #expect(lower.vectors.hasSameBits(as: whole.vectors) && lower.values.map(\.bitPattern) == whole.values.map(\.bitPattern))
    }

    @Test(arguments: [(1, 1), (4, 9), (9, 4), (30, 30), (0, 5), (5, 0)]) func singularValuesMultiplyBack(m: Int, n: Int) throws {
        let a = random(m, n, seed: 3), (u, s, v) = try singularValues(a), r = min(m, n)
        #expect(u.shape == [m, r] && s.count == r && v.shape == [r, n])
        #expect(zip(s, s.dropFirst()).allSatisfy { $0 >= $1 } && s.allSatisfy { $0 >= 0 })
        guard r > 0 else { return }
        var scaled = u
        for i in 0..<m { for j in 0..<r { scaled[i, j] *= s[j] } }
        #expect(distance(matrixProduct(scaled, v), a) < 1e-12)
        #expect(
            distance(matrixProduct(u, transposed: true, u), identity(r)) < 1e-12
                && distance(matrixProduct(v, transposed: false, v, transposed: true), identity(r)) < 1e-12)
    }

    @Test(arguments: [(1, 1), (20, 6), (6, 6), (3, 0)]) func basesAreOrthonormalAndSpanTheColumns(m: Int, k: Int) throws {
        let a = random(m, k, seed: 4), q = try orthonormalBasis(a)
        #expect(q.shape == [m, k])
        guard k > 0 else { return }
        #expect(distance(matrixProduct(q, transposed: true, q), identity(k)) < 1e-13)
        #expect(distance(matrixProduct(q, matrixProduct(q, transposed: true, a)), a) < 1e-12)
    }

    @Test func gramMatricesAreAddedBelow() {
        let x = random(5, 3, seed: 5), expected = matrixProduct(x, transposed: true, x)
        var c = Tensor<Double>(repeating: 1, shape: [3, 3])
        c.withUnsafeMutableElements { c in x.withUnsafeElements { Double.addGram($0, rows: 5, columns: 3, to: c) } }
        for r in 0..<3 { for column in 0..<3 { #expect(abs(c[r, column] - 1 - (column <= r ? expected[r, column] : 0)) < 1e-13) } }
    }

    @Test func whatIsNoNumberIsAnError() throws {
        #expect(throws: FactorizationError.self) { try symmetricEigenvectors(Tensor([.nan, 0, 0, 1], shape: [2, 2]), count: 2) }
        #expect(throws: FactorizationError.self) { try singularValues(Tensor([.nan, 0, 0, 1], shape: [2, 2])) }
        let error = #expect(throws: FactorizationError.self) { try singularValues(Tensor([.nan, 0, 0, 1], shape: [2, 2])) }
        #expect(error?.routine == "dgesdd" && error?.description.contains("NaN") == true)
    }
}
