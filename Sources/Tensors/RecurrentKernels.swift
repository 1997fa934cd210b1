import CKernels

/// Kernels of recurrent networks; part of `TensorScalar`. `CRecurrent.h` says what each computes.
public protocol RecurrentKernels {
    typealias Source = UnsafePointer<Self>
    typealias Destination = UnsafeMutablePointer<Self>

    static func lstm(_ n: Int, size: Int, rows: UnsafePointer<Int64>, fromInput: Source, fromState: Source, state: Destination, gates: Destination, states: Destination)
    static func lstmBackward(
        _ n: Int, size: Int, rows: UnsafePointer<Int64>, gates: Source, states: Source, previous: Source, _ dstates: Source,
        dstate: Destination, dgates: Destination, dproducts: Destination
    )
    static func gru(_ n: Int, size: Int, rows: UnsafePointer<Int64>, fromInput: Source, fromState: Source, state: Destination, gates: Destination, states: Destination)
    static func gruBackward(
        _ n: Int, size: Int, rows: UnsafePointer<Int64>, gates: Source, previous: Source, _ dstates: Source,
        dstate: Destination, dgates: Destination, dproducts: Destination
    )
    static func alignment(
        segments: Int, queryOffsets: UnsafePointer<Int64>, keyOffsets: UnsafePointer<Int64>, width: Int, valueWidth: Int,
        _ q: Source, _ k: Source, _ v: Source?, values: Source, weights: Destination, into out: Destination
    )
    static func alignmentBackward(
        segments: Int, queryOffsets: UnsafePointer<Int64>, keyOffsets: UnsafePointer<Int64>, width: Int, valueWidth: Int,
        _ q: Source, _ k: Source, _ v: Source?, values: Source, weights: Source, out: Source, _ dout: Source,
        addingTo dq: Destination, _ dk: Destination, _ dv: Destination?, _ dvalues: Destination
    )
    /// Places of the largest values, largest first, of equals the first.
    static func largest(_ x: Source, count: Int, wanted: Int) -> [Int]
}

extension Float: RecurrentKernels {
    public static func lstm(
        _ n: Int, size: Int, rows: UnsafePointer<Int64>, fromInput: Source, fromState: Source, state: Destination, gates: Destination, states: Destination
    ) {
        kt_lstm_f(Int64(n), Int64(size), rows, fromInput, fromState, state, gates, states)
    }

    public static func lstmBackward(
        _ n: Int, size: Int, rows: UnsafePointer<Int64>, gates: Source, states: Source, previous: Source, _ dstates: Source,
        dstate: Destination, dgates: Destination, dproducts: Destination
    ) {
        kt_lstm_backward_f(Int64(n), Int64(size), rows, gates, states, previous, dstates, dstate, dgates, dproducts)
    }

    public static func gru(
        _ n: Int, size: Int, rows: UnsafePointer<Int64>, fromInput: Source, fromState: Source, state: Destination, gates: Destination, states: Destination
    ) {
        kt_gru_f(Int64(n), Int64(size), rows, fromInput, fromState, state, gates, states)
    }

    public static func gruBackward(
        _ n: Int, size: Int, rows: UnsafePointer<Int64>, gates: Source, previous: Source, _ dstates: Source,
        dstate: Destination, dgates: Destination, dproducts: Destination
    ) {
        kt_gru_backward_f(Int64(n), Int64(size), rows, gates, previous, dstates, dstate, dgates, dproducts)
    }

    public static func alignment(
        segments: Int, queryOffsets: UnsafePointer<Int64>, keyOffsets: UnsafePointer<Int64>, width: Int, valueWidth: Int,
        _ q: Source, _ k: Source, _ v: Source?, values: Source, weights: Destination, into out: Destination
    ) {
        kt_alignment_f(Int64(segments), queryOffsets, keyOffsets, Int64(width), Int64(valueWidth), q, k, v, values, weights, out)
    }

    public static func alignmentBackward(
        segments: Int, queryOffsets: UnsafePointer<Int64>, keyOffsets: UnsafePointer<Int64>, width: Int, valueWidth: Int,
        _ q: Source, _ k: Source, _ v: Source?, values: Source, weights: Source, out: Source, _ dout: Source,
        addingTo dq: Destination, _ dk: Destination, _ dv: Destination?, _ dvalues: Destination
    ) {
        kt_alignment_backward_f(Int64(segments), queryOffsets, keyOffsets, Int64(width), Int64(valueWidth), q, k, v, values, weights,
                                out, dout, dq, dk, dv, dvalues)
    }

    public static func largest(_ x: Source, count: Int, wanted: Int) -> [Int] {
        var places = [Int64](repeating: 0, count: wanted)
        let found = Int(kt_largest_f(x, Int64(count), Int64(wanted), &places))
        return places.prefix(found).map(Int.init)
    }
}

extension Double: RecurrentKernels {
    public static func lstm(
        _ n: Int, size: Int, rows: UnsafePointer<Int64>, fromInput: Source, fromState: Source, state: Destination, gates: Destination, states: Destination
    ) {
        kt_lstm_d(Int64(n), Int64(size), rows, fromInput, fromState, state, gates, states)
    }

    public static func lstmBackward(
        _ n: Int, size: Int, rows: UnsafePointer<Int64>, gates: Source, states: Source, previous: Source, _ dstates: Source,
        dstate: Destination, dgates: Destination, dproducts: Destination
    ) {
        kt_lstm_backward_d(Int64(n), Int64(size), rows, gates, states, previous, dstates, dstate, dgates, dproducts)
    }

    public static func gru(
        _ n: Int, size: Int, rows: UnsafePointer<Int64>, fromInput: Source, fromState: Source, state: Destination, gates: Destination, states: Destination
    ) {
        kt_gru_d(Int64(n), Int64(size), rows, fromInput, fromState, state, gates, states)
    }

    public static func gruBackward(
        _ n: Int, size: Int, rows: UnsafePointer<Int64>, gates: Source, previous: Source, _ dstates: Source,
        dstate: Destination, dgates: Destination, dproducts: Destination
    ) {
        kt_gru_backward_d(Int64(n), Int64(size), rows, gates, previous, dstates, dstate, dgates, dproducts)
    }

    public static func alignment(
        segments: Int, queryOffsets: UnsafePointer<Int64>, keyOffsets: UnsafePointer<Int64>, width: Int, valueWidth: Int,
        _ q: Source, _ k: Source, _ v: Source?, values: Source, weights: Destination, into out: Destination
    ) {
        kt_alignment_d(Int64(segments), queryOffsets, keyOffsets, Int64(width), Int64(valueWidth), q, k, v, values, weights, out)
    }

    public static func alignmentBackward(
        segments: Int, queryOffsets: UnsafePointer<Int64>, keyOffsets: UnsafePointer<Int64>, width: Int, valueWidth: Int,
        _ q: Source, _ k: Source, _ v: Source?, values: Source, weights: Source, out: Source, _ dout: Source,
        addingTo dq: Destination, _ dk: Destination, _ dv: Destination?, _ dvalues: Destination
    ) {
        kt_alignment_backward_d(Int64(segments), queryOffsets, keyOffsets, Int64(width), Int64(valueWidth), q, k, v, values, weights,
                                out, dout, dq, dk, dv, dvalues)
    }

    public static func largest(_ x: Source, count: Int, wanted: Int) -> [Int] {
        var places = [Int64](repeating: 0, count: wanted)
        let found = Int(kt_largest_d(x, Int64(count), Int64(wanted), &places))
        return places.prefix(found).map(Int.init)
    }
}
