using Microsoft.AspNetCore.Http;

namespace ResumableUploads.Protocols;

/// <summary>The parts of a request that a protocol parses.</summary>
/// <param name="Method">The request method.</param>
/// <param name="Headers">The request headers.</param>
/// <param name="IsUpload">Whether the request URL identifies an upload rather than a creation endpoint.</param>
/// <param name="ContentLength">The length of the request body in bytes, or null if it is not known.</param>
internal readonly record struct RequestHead(string Method, IHeaderDictionary Headers, bool IsUpload, long? ContentLength);
