import CServing
import FileFormats
import Foundation

/// gzip (RFC 1952) for browsers.
enum GZip {
    /// - Parameter level: 1 for speed to 9 for size.
    /// - Throws: `DataError` of kind `memory` if zlib cannot get its own.
    static func compressed(_ bytes: [UInt8], level: Int32 = 6) throws -> [UInt8] {
        var stream = z_stream()
        guard kotonoha_deflate_init(&stream, level) == Z_OK else {
            throw DataError(.memory, "not enough memory to compress \(bytes.count) bytes")
        }
        defer { deflateEnd(&stream) }
        let most = Int(deflateBound(&stream, UInt(bytes.count)))
        return [UInt8](unsafeUninitializedCapacity: most) { room, count in
            bytes.withUnsafeBufferPointer { input in
                // zlib counts in 32 bits.
                var done = 0
                stream.next_out = room.baseAddress
                stream.avail_out = UInt32(clamping: most)
                repeat {
                    let part = min(input.count - done, 1 << 30)
                    stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress).map { $0 + done }
                    stream.avail_in = UInt32(part)
                    done += part
                    while true {
                        let status = deflate(&stream, done == input.count ? Z_FINISH : Z_NO_FLUSH)
                        if status == Z_STREAM_END || stream.avail_in == 0 && done < input.count { break }
                        stream.avail_out = UInt32(clamping: most - Int(stream.total_out))
                    }
                } while done < input.count
            }
            count = Int(stream.total_out)
        }
    }
}
