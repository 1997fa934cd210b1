import Foundation
import HTTPTypes
import Kotonoha

/// A refusal as clients of OpenAI's interface read it: `{"error": {"message", "type", "param", "code"}}`.
public struct APIError: Error, Sendable {
    public var status: HTTPResponse.Status
    public var message: String
    /// `invalid_request_error`, `authentication_error`, `rate_limit_error`, `server_error`.
    public var type: String
    /// The field of the request that is wrong.
    public var parameter: String?
    public var code: String?
    public var retryAfter: Int?
    /// Ends the connection after the answer.
    public var closes = false
    /// The methods that the path takes, for 405.
    var allowed: String?
    /// Names the scheme of the key, for 401.
    var asksForKey = false

    public init(
        _ status: HTTPResponse.Status, _ message: String, type: String = "invalid_request_error", parameter: String? = nil,
        code: String? = nil,
        retryAfter: Int? = nil
    ) {
        (self.status, self.message, self.type, self.parameter, self.code, self.retryAfter) = (
            status, message, type, parameter, code, retryAfter
        )
    }

    static func invalid(_ message: String, parameter: String? = nil, code: String? = nil) -> APIError {
        APIError(.badRequest, message, parameter: parameter, code: code)
    }

    /// The answer's body, in the shape of the interface that was asked.
    func body(_ shape: Shape) -> JSON {
        switch shape {
        case .openAI:
            .object([
                (
                    "error",
                    .object([
                        ("message", .string(message)), ("type", .string(type)), ("param", parameter.map(JSON.string) ?? .null),
                        ("code", code.map(JSON.string) ?? .null),
                    ])
                )
            ])
        case .tei: .object([("error", .string(message)), ("error_type", .string(teiType))])
        }
    }

    enum Shape: Sendable { case openAI, tei }

    private var teiType: String {
        switch status.code {
        case 429: "overloaded"
        case 503: "unhealthy"
        case 500: "backend"
        default: "validation"
        }
    }

    /// Any error as an answer.
    init(_ error: any Error) {
        switch error {
        case let error as APIError: self = error
        case let error as ComputeQueue.Overload:
            self.init(
                .tooManyRequests, "the queue is full; try again in \(error.retryAfter) s", type: "rate_limit_error", code: "queue_full",
                retryAfter: error.retryAfter)
        case let error as DataError where error.kind == .usage: self.init(.badRequest, error.message)
        case let error as DataError: self.init(.internalServerError, error.message, type: "server_error")
        default: self.init(.internalServerError, "\(error)", type: "server_error")
        }
    }
}
