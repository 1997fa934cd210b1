/// The two 16-bit floating-point formats that files use for storage, to and from Float, rounded to nearest, ties to even.
///
/// Written with integer arithmetic so that the loops over buffers vectorize without half-precision instructions.
package enum HalfPrecision {
    // MARK: bfloat16: the upper half of a Float

    @inline(__always)
    package static func bfloat16(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        // A NaN stays a NaN: its low bits alone could carry the payload, and rounding could run into infinity.
        if bits & 0x7FFF_FFFF > 0x7F80_0000 { return UInt16(truncatingIfNeeded: bits >> 16) | 0x0040 }
        return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
    }

    @inline(__always)
    package static func float(bfloat16 bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

    // MARK: IEEE 754 binary16

    @inline(__always)
    package static func float16(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
        let magnitude = bits & 0x7FFF_FFFF
        if magnitude >= 0x7F80_0000 {
            return sign | 0x7C00 | (magnitude > 0x7F80_0000 ? 0x0200 | UInt16(truncatingIfNeeded: magnitude >> 13) & 0x03FF : 0)
        }
        // 65520 is the midpoint between the largest finite value and the next power of two.
        if magnitude >= 0x477F_F000 { return sign | 0x7C00 }
        if magnitude < 0x3880_0000 {
            // Subnormal: adding 0.5 lets the processor's own rounding put the mantissa into the last bits.
            let shifted = Float(bitPattern: magnitude) + 0.5
            return sign | UInt16(truncatingIfNeeded: shifted.bitPattern &- Float(0.5).bitPattern)
        }
        let rounded = magnitude &- 0x3800_0000 &+ 0x0FFF &+ (magnitude >> 13 & 1)
        return sign | UInt16(truncatingIfNeeded: rounded >> 13)
    }

    @inline(__always)
    package static func float(float16 bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16
        let magnitude = UInt32(bits & 0x7FFF) << 13
        // Multiplying by 2^112 moves the exponent's bias and makes subnormals normal in one exact step.
        let scaled = Float(bitPattern: magnitude) * Float(bitPattern: 0x7780_0000)
        let special: UInt32 = magnitude >= 0x0F80_0000 ? 0x7F80_0000 : 0
        return Float(bitPattern: scaled.bitPattern | special | sign)
    }

    // MARK: Whole buffers; bytes may lie at any address

    /// Widens little-endian bfloat16 values. `bytes` holds twice as many bytes as `values` has elements.
    package static func widen(bfloat16 bytes: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>) {
        precondition(bytes.count == 2 * values.count)
        for index in values.indices {
            values[index] = float(bfloat16: UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)))
        }
    }

    /// Widens little-endian binary16 values. `bytes` holds twice as many bytes as `values` has elements.
    package static func widen(float16 bytes: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>) {
        precondition(bytes.count == 2 * values.count)
        for index in values.indices {
            values[index] = float(float16: UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)))
        }
    }

    /// Rounds to bfloat16. Both buffers have the same number of elements.
    package static func narrow(_ values: UnsafeBufferPointer<Float>, toBFloat16 bits: UnsafeMutableBufferPointer<UInt16>) {
        precondition(bits.count == values.count)
        for index in values.indices { bits[index] = bfloat16(values[index]).littleEndian }
    }

    /// Rounds to binary16. Both buffers have the same number of elements.
    package static func narrow(_ values: UnsafeBufferPointer<Float>, toFloat16 bits: UnsafeMutableBufferPointer<UInt16>) {
        precondition(bits.count == values.count)
        for index in values.indices { bits[index] = float16(values[index]).littleEndian }
    }
}
