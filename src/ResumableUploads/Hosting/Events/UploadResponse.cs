using System.Text;
using System.Text.Json.Serialization.Metadata;

namespace ResumableUploads;

/// <summary>
/// What the client is told about a finished upload: a status, and a body. It is stored before it is sent, and given again to a client that
/// lost it. 408, 425, 429 and 5xx are not final: they are sent and not stored, and the upload can be tried again.
/// </summary>
public sealed class UploadResponse
{
    /// <summary>The most bytes that a body has: 65,536.</summary>
    public const int MaxBodyLength = 64 * 1024;

    /// <summary>Makes an answer.</summary>
    /// <param name="statusCode">200 to 599.</param>
    /// <param name="contentType">The media type of the body, or null without a body.</param>
    /// <param name="body">The body, at most <see cref="MaxBodyLength"/> bytes.</param>
    /// <exception cref="ArgumentException">The status or the length is out of range, or the content type has a control character.</exception>
    public UploadResponse(int statusCode, string? contentType = null, ReadOnlyMemory<byte> body = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(statusCode, 200);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(statusCode, 599);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(body.Length, MaxBodyLength, nameof(body));
        if (contentType is not null && contentType.Any(static c => c is < ' ' or > '~'))
        {
            throw new ArgumentException("A content type has printable ASCII characters only.", nameof(contentType));
        }

        StatusCode = statusCode;
        ContentType = contentType;
        Body = body;
    }

    /// <summary>The status.</summary>
    public int StatusCode { get; }

    /// <summary>The media type of the body, or null.</summary>
    public string? ContentType { get; }

    /// <summary>The body.</summary>
    public ReadOnlyMemory<byte> Body { get; }

    /// <summary>An answer in plain text.</summary>
    /// <param name="text">The body.</param>
    /// <param name="statusCode">The status. Default: 200.</param>
    public static UploadResponse Text(string text, int statusCode = 200) =>
        new(statusCode, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(text));

    /// <summary>An answer in JSON.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="value">The body.</param>
    /// <param name="type">How it is written, from a source-generated context.</param>
    /// <param name="statusCode">The status. Default: 200.</param>
    public static UploadResponse Json<T>(T value, JsonTypeInfo<T> type, int statusCode = 200) =>
        new(statusCode, "application/json", System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(value, type));
}
