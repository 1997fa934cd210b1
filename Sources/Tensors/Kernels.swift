import CKernels

// Two thin conformances, alike but for the suffix of the C names, which Swift cannot abstract over.

extension Float: TensorScalar {
    public static func activate(_ kind: Activation, _ x: Input, count: Int, into y: Output) {
        kt_activate_f(kind.kernel, x, Int64(count), y)
    }

    public static func activateBoth(_ kind: Activation, _ x: Input, _ dy: Input, count: Int, into y: Output, _ dx: Output) {
        kt_activate_both_f(kind.kernel, x, dy, Int64(count), y, dx)
    }

    public static func activateBackward(_ kind: Activation, _ x: Input, _ dy: Input, count: Int, addingTo dx: Output) {
        kt_activate_backward_f(kind.kernel, x, dy, Int64(count), dx)
    }

    public static func layerNorm(
        _ x: Input, residual: Input?, rows: Int, columns: Int, gamma: Input, beta: Input?, epsilon: Self,
        sum: Output?, into y: Output, mean: Output?, reciprocalDeviation: Output?
    ) {
        kt_layer_norm_f(x, residual, Int64(rows), Int64(columns), gamma, beta, epsilon, sum, y, mean, reciprocalDeviation)
    }

    public static func layerNormBackward(
        _ x: Input, rows: Int, columns: Int, gamma: Input, mean: Input, reciprocalDeviation: Input, _ dy: Input,
        into dx: Output, addingTo dgamma: Output, _ dbeta: Output?
    ) {
        kt_layer_norm_backward_f(x, Int64(rows), Int64(columns), gamma, mean, reciprocalDeviation, dy, dx, dgamma, dbeta)
    }

    public static func softmax(_ x: Input, rows: Int, columns: Int, into y: Output) {
        kt_softmax_f(x, Int64(rows), Int64(columns), y)
    }

    public static func logSoftmax(_ x: Input, rows: Int, columns: Int, into y: Output) {
        kt_log_softmax_f(x, Int64(rows), Int64(columns), y)
    }

    public static func indexOfLargest(_ x: Input, count: Int) -> Int { count > 0 ? Int(kt_index_of_largest_f(x, Int64(count))) : 0 }

    public static func crossEntropy(
        _ x: Input, rows: Int, columns: Int, targets: UnsafePointer<Int32>, smoothing: Self, loss: Output, gradient: Output?
    ) {
        kt_cross_entropy_f(x, Int64(rows), Int64(columns), targets, smoothing, loss, gradient)
    }

    public static func attention(
        _ shape: kt_attention_shape, _ q: Input, _ k: Input, _ v: Input, bias: Input?, scale: Self,
        into out: Output, logSums: Output?, scratch: Output
    ) {
        withUnsafePointer(to: shape) { kt_attention_f($0, q, k, v, bias, scale, out, logSums, scratch) }
    }

    public static func attentionBackward(
        _ shape: kt_attention_shape, _ q: Input, _ k: Input, _ v: Input, bias: Input?, scale: Self,
        out: Input, logSums: Input, _ dout: Input, addingTo dq: Output, _ dk: Output, _ dv: Output, dbias: Output?, scratch: Output
    ) {
        withUnsafePointer(to: shape) {
            kt_attention_backward_f($0, q, k, v, bias, scale, out, logSums, dout, dq, dk, dv, dbias, scratch)
        }
    }

    public static func attentionWeights(
        _ shape: kt_attention_shape, segment: Int, _ q: Input, _ k: Input, bias: Input?, scale: Self, into weights: Output, scratch: Output
    ) {
        withUnsafePointer(to: shape) { kt_attention_weights_f($0, Int64(segment), q, k, bias, scale, weights, scratch) }
    }

    public static func dropout(_ x: Input, count: Int, rate: Double, seed: UInt64, into y: Output) {
        kt_dropout_f(x, Int64(count), rate, seed, y)
    }
    public static func gatherRows(_ table: Input, width: Int, _ rows: [Int32], adding: Bool, into y: Output) {
        kt_gather_rows_f(table, Int64(width), rows, Int64(rows.count), adding ? 1 : 0, y)
    }
    public static func scatterRows(_ x: Input, width: Int, _ rows: [Int32], within range: Range<Int>, addingTo table: Output) {
        kt_scatter_rows_f(x, Int64(width), rows, Int64(rows.count), Int64(range.lowerBound), Int64(range.upperBound), table)
    }
    public static func fill(_ x: Output, with value: Self, count: Int) { kt_fill_f(value, Int64(count), x) }
    public static func add(_ x: Input, count: Int, to y: Output) { kt_add_f(x, Int64(count), y) }
    public static func add(_ a: Self, times x: Input, count: Int, to y: Output) { kt_add_scaled_f(a, x, Int64(count), y) }
    public static func addProduct(_ a: Input, _ b: Input, count: Int, to y: Output) { kt_add_product_f(a, b, Int64(count), y) }
    public static func scale(_ x: Output, by a: Self, count: Int) { kt_scale_f(a, Int64(count), x) }
    public static func dot(_ x: Input, _ y: Input, count: Int) -> Double { kt_dot_f(x, y, Int64(count)) }
    public static func addColumnSums(_ x: Input, rows: Int, columns: Int, to sums: Output) {
        kt_add_column_sums_f(x, Int64(rows), Int64(columns), sums)
    }
    public static func addRowVector(_ vector: Input, rows: Int, columns: Int, to x: Output) {
        kt_add_row_vector_f(vector, Int64(rows), Int64(columns), x)
    }
    public static func stepSGD(_ p: Output, _ gradient: Input, velocity: Output?, count: Int, _ step: kt_optimizer_step) {
        withUnsafePointer(to: step) { kt_sgd_f(p, gradient, velocity, Int64(count), $0) }
    }
    public static func stepAdaGrad(_ p: Output, _ gradient: Input, sums: Output, count: Int, _ step: kt_optimizer_step) {
        withUnsafePointer(to: step) { kt_adagrad_f(p, gradient, sums, Int64(count), $0) }
    }
    public static func stepAdam(_ p: Output, _ gradient: Input, _ m: Output, _ v: Output, count: Int, _ step: kt_optimizer_step) {
        withUnsafePointer(to: step) { kt_adam_f(p, gradient, m, v, Int64(count), $0) }
    }
    public static func lambDirection(
        _ p: Input, _ gradient: Input, _ m: Output, _ v: Output, count: Int, _ step: kt_optimizer_step, into direction: Output
    ) {
        withUnsafePointer(to: step) { kt_lamb_direction_f(p, gradient, m, v, Int64(count), $0, direction) }
    }
    public static func allFinite(_ x: Input, count: Int) -> Bool { kt_all_finite_f(x, Int64(count)) != 0 }
}

extension Double: TensorScalar {
    public static func activate(_ kind: Activation, _ x: Input, count: Int, into y: Output) {
        kt_activate_d(kind.kernel, x, Int64(count), y)
    }

    public static func activateBoth(_ kind: Activation, _ x: Input, _ dy: Input, count: Int, into y: Output, _ dx: Output) {
        kt_activate_both_d(kind.kernel, x, dy, Int64(count), y, dx)
    }

    public static func activateBackward(_ kind: Activation, _ x: Input, _ dy: Input, count: Int, addingTo dx: Output) {
        kt_activate_backward_d(kind.kernel, x, dy, Int64(count), dx)
    }

    public static func layerNorm(
        _ x: Input, residual: Input?, rows: Int, columns: Int, gamma: Input, beta: Input?, epsilon: Self,
        sum: Output?, into y: Output, mean: Output?, reciprocalDeviation: Output?
    ) {
        kt_layer_norm_d(x, residual, Int64(rows), Int64(columns), gamma, beta, epsilon, sum, y, mean, reciprocalDeviation)
    }

    public static func layerNormBackward(
        _ x: Input, rows: Int, columns: Int, gamma: Input, mean: Input, reciprocalDeviation: Input, _ dy: Input,
        into dx: Output, addingTo dgamma: Output, _ dbeta: Output?
    ) {
        kt_layer_norm_backward_d(x, Int64(rows), Int64(columns), gamma, mean, reciprocalDeviation, dy, dx, dgamma, dbeta)
    }

    public static func softmax(_ x: Input, rows: Int, columns: Int, into y: Output) {
        kt_softmax_d(x, Int64(rows), Int64(columns), y)
    }

    public static func logSoftmax(_ x: Input, rows: Int, columns: Int, into y: Output) {
        kt_log_softmax_d(x, Int64(rows), Int64(columns), y)
    }

    public static func indexOfLargest(_ x: Input, count: Int) -> Int { count > 0 ? Int(kt_index_of_largest_d(x, Int64(count))) : 0 }

    public static func crossEntropy(
        _ x: Input, rows: Int, columns: Int, targets: UnsafePointer<Int32>, smoothing: Self, loss: Output, gradient: Output?
    ) {
        kt_cross_entropy_d(x, Int64(rows), Int64(columns), targets, smoothing, loss, gradient)
    }

    public static func attention(
        _ shape: kt_attention_shape, _ q: Input, _ k: Input, _ v: Input, bias: Input?, scale: Self,
        into out: Output, logSums: Output?, scratch: Output
    ) {
        withUnsafePointer(to: shape) { kt_attention_d($0, q, k, v, bias, scale, out, logSums, scratch) }
    }

    public static func attentionBackward(
        _ shape: kt_attention_shape, _ q: Input, _ k: Input, _ v: Input, bias: Input?, scale: Self,
        out: Input, logSums: Input, _ dout: Input, addingTo dq: Output, _ dk: Output, _ dv: Output, dbias: Output?, scratch: Output
    ) {
        withUnsafePointer(to: shape) {
            kt_attention_backward_d($0, q, k, v, bias, scale, out, logSums, dout, dq, dk, dv, dbias, scratch)
        }
    }

    public static func attentionWeights(
        _ shape: kt_attention_shape, segment: Int, _ q: Input, _ k: Input, bias: Input?, scale: Self, into weights: Output, scratch: Output
    ) {
        withUnsafePointer(to: shape) { kt_attention_weights_d($0, Int64(segment), q, k, bias, scale, weights, scratch) }
    }

    public static func dropout(_ x: Input, count: Int, rate: Double, seed: UInt64, into y: Output) {
        kt_dropout_d(x, Int64(count), rate, seed, y)
    }
    public static func gatherRows(_ table: Input, width: Int, _ rows: [Int32], adding: Bool, into y: Output) {
        kt_gather_rows_d(table, Int64(width), rows, Int64(rows.count), adding ? 1 : 0, y)
    }
    public static func scatterRows(_ x: Input, width: Int, _ rows: [Int32], within range: Range<Int>, addingTo table: Output) {
        kt_scatter_rows_d(x, Int64(width), rows, Int64(rows.count), Int64(range.lowerBound), Int64(range.upperBound), table)
    }
    public static func fill(_ x: Output, with value: Self, count: Int) { kt_fill_d(value, Int64(count), x) }
    public static func add(_ x: Input, count: Int, to y: Output) { kt_add_d(x, Int64(count), y) }
    public static func add(_ a: Self, times x: Input, count: Int, to y: Output) { kt_add_scaled_d(a, x, Int64(count), y) }
    public static func addProduct(_ a: Input, _ b: Input, count: Int, to y: Output) { kt_add_product_d(a, b, Int64(count), y) }
    public static func scale(_ x: Output, by a: Self, count: Int) { kt_scale_d(a, Int64(count), x) }
    public static func dot(_ x: Input, _ y: Input, count: Int) -> Double { kt_dot_d(x, y, Int64(count)) }
    public static func addColumnSums(_ x: Input, rows: Int, columns: Int, to sums: Output) {
        kt_add_column_sums_d(x, Int64(rows), Int64(columns), sums)
    }
    public static func addRowVector(_ vector: Input, rows: Int, columns: Int, to x: Output) {
        kt_add_row_vector_d(vector, Int64(rows), Int64(columns), x)
    }
    public static func stepSGD(_ p: Output, _ gradient: Input, velocity: Output?, count: Int, _ step: kt_optimizer_step) {
        withUnsafePointer(to: step) { kt_sgd_d(p, gradient, velocity, Int64(count), $0) }
    }
    public static func stepAdaGrad(_ p: Output, _ gradient: Input, sums: Output, count: Int, _ step: kt_optimizer_step) {
        withUnsafePointer(to: step) { kt_adagrad_d(p, gradient, sums, Int64(count), $0) }
    }
    public static func stepAdam(_ p: Output, _ gradient: Input, _ m: Output, _ v: Output, count: Int, _ step: kt_optimizer_step) {
        withUnsafePointer(to: step) { kt_adam_d(p, gradient, m, v, Int64(count), $0) }
    }
    public static func lambDirection(
        _ p: Input, _ gradient: Input, _ m: Output, _ v: Output, count: Int, _ step: kt_optimizer_step, into direction: Output
    ) {
        withUnsafePointer(to: step) { kt_lamb_direction_d(p, gradient, m, v, Int64(count), $0, direction) }
    }
    public static func allFinite(_ x: Input, count: Int) -> Bool { kt_all_finite_d(x, Int64(count)) != 0 }
}
