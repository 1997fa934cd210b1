/// The version of the program that this server belongs to; a test compares the two.
public let kotonohaVersion = "0.1.0"
