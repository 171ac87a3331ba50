using System.Net;
using System.Text;

namespace ResumableUploads.Client;

/// <summary>The response to a completed upload.</summary>
public sealed class UploadResponseMessage
{
    internal UploadResponseMessage(HttpStatusCode statusCode, IReadOnlyDictionary<string, IReadOnlyList<string>> headers, ReadOnlyMemory<byte> body, bool isBodyTruncated)
    {
        (StatusCode, Headers, Body, IsBodyTruncated) = (statusCode, headers, body, isBodyTruncated);
    }

    /// <summary>Gets the status code.</summary>
    public HttpStatusCode StatusCode { get; }

    /// <summary>Gets the headers of the response and of its content. Names are compared without regard to case.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Headers { get; }

    /// <summary>Gets the body.</summary>
    public ReadOnlyMemory<byte> Body { get; }

    /// <summary>Gets a value indicating whether the body was longer than <see cref="ResumableUploadClientOptions.MaxResponseBodySize"/>, so that its end is missing.</summary>
    public bool IsBodyTruncated { get; }

    /// <summary>Gets the upload on the server.</summary>
    public required UploadReference Upload { get; init; }

    /// <summary>Gets a value indicating whether the upload had been complete before the call, so that no content was sent.</summary>
    public bool WasAlreadyComplete { get; init; }

    /// <summary>Returns the body as UTF-8 text.</summary>
    /// <returns>The text.</returns>
    public string GetBodyText() => Encoding.UTF8.GetString(Body.Span);
}
