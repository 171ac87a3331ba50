using System.Text;
using System.Text.Json.Serialization.Metadata;

namespace ResumableUploads;

/// <summary>
/// The response to a completed upload. It is stored before it is sent, and replayed to a client that did not receive it. Responses with status code
/// 401, 403, 407, 408, 423, 425, 429 or 5xx are not final: they are sent but not stored, and the handler can run again.
/// </summary>
public sealed class UploadResponse
{
    /// <summary>The maximum length of the body, in bytes: 65,536.</summary>
    public const int MaxBodyLength = 64 * 1024;

    /// <summary>Creates a response.</summary>
    /// <param name="statusCode">The status code, 200 to 599.</param>
    /// <param name="contentType">The media type of the body, or <see langword="null"/> if there is no body.</param>
    /// <param name="body">The body, at most <see cref="MaxBodyLength"/> bytes.</param>
    /// <exception cref="ArgumentException">The status code or the length is out of range, or the content type contains a control character.</exception>
    public UploadResponse(int statusCode, string? contentType = null, ReadOnlyMemory<byte> body = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(statusCode, 200);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(statusCode, 599);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(body.Length, MaxBodyLength, nameof(body));
        if (contentType is not null && contentType.Any(static c => c is < ' ' or > '~'))
        {
            throw new ArgumentException("A content type can contain only printable ASCII characters.", nameof(contentType));
        }

        StatusCode = statusCode;
        ContentType = contentType;
        Body = body;
    }

    /// <summary>Gets the status code.</summary>
    public int StatusCode { get; }

    /// <summary>Gets the media type of the body, or <see langword="null"/>.</summary>
    public string? ContentType { get; }

    /// <summary>Gets the body.</summary>
    public ReadOnlyMemory<byte> Body { get; }

    /// <summary>Creates a plain-text response.</summary>
    /// <param name="text">The text of the body.</param>
    /// <param name="statusCode">The status code. Default: 200.</param>
    /// <returns>The response.</returns>
    public static UploadResponse Text(string text, int statusCode = 200) =>
        new(statusCode, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(text));

    /// <summary>Creates a JSON response.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="value">The value to serialize.</param>
    /// <param name="jsonTypeInfo">The metadata of the type, from a source-generated context.</param>
    /// <param name="statusCode">The status code. Default: 200.</param>
    /// <returns>The response.</returns>
    public static UploadResponse Json<T>(T value, JsonTypeInfo<T> jsonTypeInfo, int statusCode = 200) =>
        new(statusCode, "application/json", System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(value, jsonTypeInfo));
}
