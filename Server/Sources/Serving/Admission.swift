import Foundation
import HTTPTypes
import HummingbirdCore

/// Who may ask.
///
/// A page in a browser can reach loopback, under a name of its own that it lets point there (DNS rebinding), or by a form sent across sites. So the
/// `Host` must be an address or a name that the server knows, and a request that a page of another origin makes is refused.
public struct Admission: Sendable {
    /// What `Authorization: Bearer` must say; nil where no key is needed.
    public var key: String?
    /// Names by which the server may be asked, beside `localhost` and addresses.
    public var hosts: Set<String>

    public init(key: String? = nil, hosts: Set<String> = []) { (self.key, self.hosts) = (key, Set(hosts.map { $0.lowercased() })) }

    /// - Parameters:
    ///   - isOpen: no key is needed.
    ///   - isLocalSocket: asked over a Unix socket, which the file system guards.
    /// - Throws: `APIError` 401 or 403.
    func check(_ request: Request, isOpen: Bool, isLocalSocket: Bool) throws {
        guard !isLocalSocket else { return }
        let authority = request.head.authority ?? ""
        guard accepts(host: authority) else {
            throw APIError(
                .forbidden, "the host '\(authority)' is not one of this server's; --allow-host names further ones", code: "host_not_allowed"
            )
        }
        if let origin = request.headers[.origin], origin.lowercased() != "http://" + authority.lowercased(),
            origin.lowercased() != "https://" + authority.lowercased()
        {
            throw APIError(.forbidden, "pages of another origin may not ask this server", code: "cross_origin")
        }
        if let site = request.headers[Self.fetchSite], site == "cross-site" {
            throw APIError(.forbidden, "pages of another site may not ask this server", code: "cross_origin")
        }
        guard let key, !isOpen else { return }
        let given = request.headers[.authorization] ?? ""
        let bearer = given.lowercased().hasPrefix("bearer ") ? String(given.dropFirst(7)) : ""
        guard Self.isEqual(bearer, key) else {
            var error = APIError(
                .unauthorized, "the key is missing or wrong; it goes into the header Authorization: Bearer KEY",
                type: "authentication_error",
                code: "invalid_api_key")
            error.asksForKey = true
            throw error
        }
    }

    private static let fetchSite = HTTPField.Name("Sec-Fetch-Site")!

    /// Whether a `Host` is an address, `localhost`, or a name that the server was told. No name that others hold can be an address.
    func accepts(host authority: String) -> Bool {
        var host = authority.lowercased()
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return false }
            return Self.isAddress(String(host[host.index(after: host.startIndex)..<end]), AF_INET6)
        }
        if let colon = host.lastIndex(of: ":") {
            guard Int(host[host.index(after: colon)...]) != nil else { return false }
            host = String(host[..<colon])
        }
        return host == "localhost" || hosts.contains(host) || Self.isAddress(host, AF_INET)
    }

    private static func isAddress(_ text: String, _ family: Int32) -> Bool {
        var room = [UInt8](repeating: 0, count: 16)
        return inet_pton(family, text, &room) == 1
    }

    /// Takes as long for a key that is nearly right as for any other.
    private static func isEqual(_ a: String, _ b: String) -> Bool {
        let a = Array(a.utf8), b = Array(b.utf8)
        var difference = UInt8(a.count == b.count ? 0 : 1)
        for place in b.indices { difference |= b[place] ^ (place < a.count ? a[place] : 0) }
        return difference == 0
    }
}
