import COneDNN

// Products together with what follows them, in blocks of rows so small that what lies between stays in the cache.

/// Two tiles: a middle layer of 1,536 columns in f32 then still fits the second-level cache.
private let blockRows = 2 * Int(KD_TILE_ROWS)

extension TensorScalar {
    fileprivate static func multiplyInBlocks(
        _ x: Input, rows: Int, by matrix: PackedMatrix<Self>, bias: Input?, activation: Activation, into y: Output
    ) {
        guard activation != .identity else { return multiply(x, rows: rows, by: matrix, bias: bias, into: y) }
        for first in stride(from: 0, to: rows, by: blockRows) {
            let count = min(blockRows, rows - first), part = y + first * matrix.outputs
            multiply(x + first * matrix.inputs, rows: count, by: matrix, bias: bias, into: part)
            activate(activation, part, count: count * matrix.outputs, into: part)
        }
    }

    fileprivate static func feedForwardInBlocks(
        _ x: Input, rows: Int, up: PackedMatrix<Self>, upBias: Input?, activation: Activation, gated: Bool,
        down: PackedMatrix<Self>, downBias: Input?, into y: Output
    ) {
        Scratch.with(Self.self, count: blockRows * up.outputs) { middle in
            Scratch.with(Self.self, count: gated ? blockRows * down.inputs : 0) { gateProduct in
                for first in stride(from: 0, to: rows, by: blockRows) {
                    let count = min(blockRows, rows - first), part = y + first * down.outputs
                    multiply(x + first * up.inputs, rows: count, by: up, bias: upBias, into: middle)
                    if gated {
                        gate(activation, middle, rows: count, width: down.inputs, into: gateProduct)
                    } else {
                        activate(activation, middle, count: count * up.outputs, into: middle)
                    }
                    multiply(gated ? gateProduct : middle, rows: count, by: down, bias: downBias, into: part)
                }
            }
        }
    }
}

extension Float {
    public static func multiply(_ x: Input, rows: Int, by matrix: PackedMatrix<Float>, bias: Input?, activation: Activation, into y: Output) {
        guard matrix.precision == .int8 else {
            return multiplyInBlocks(x, rows: rows, by: matrix, bias: bias, activation: activation, into: y)
        }
        matrix.multiplyQuantized(x, rows: rows, bias: bias, activation: activation, into: y)
    }

    public static func feedForward(
        _ x: Input, rows: Int, up: PackedMatrix<Float>, upBias: Input?, activation: Activation, gated: Bool,
        down: PackedMatrix<Float>, downBias: Input?, into y: Output
    ) {
        guard up.precision == .int8 && down.precision == .int8 else {
            return feedForwardInBlocks(x, rows: rows, up: up, upBias: upBias, activation: activation, gated: gated, down: down,
                                       downBias: downBias, into: y)
        }
        PackedMatrix.feedForwardQuantized(x, rows: rows, up: up, upBias: upBias, activation: activation, gated: gated, down: down,
                                          downBias: downBias, into: y)
    }
}

extension Double {
    public static func multiply(_ x: Input, rows: Int, by matrix: PackedMatrix<Double>, bias: Input?, activation: Activation, into y: Output) {
        multiplyInBlocks(x, rows: rows, by: matrix, bias: bias, activation: activation, into: y)
    }

    public static func feedForward(
        _ x: Input, rows: Int, up: PackedMatrix<Double>, upBias: Input?, activation: Activation, gated: Bool,
        down: PackedMatrix<Double>, downBias: Input?, into y: Output
    ) {
        feedForwardInBlocks(x, rows: rows, up: up, upBias: upBias, activation: activation, gated: gated, down: down, downBias: downBias, into: y)
    }
}
