using Microsoft.AspNetCore.Http;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Permits;
using ResumableUploads.Hosting.Events;

namespace ResumableUploads;

/// <summary>An upload that is about to be created.</summary>
public sealed class UploadCreating : UploadEvent
{
    internal UploadCreating(UploadKey key, CreateCommand createCommand, long? length, HttpContext context, UploadPermit? permit)
        : base(key, null, createCommand.RawFileName, createCommand.ContentType, createCommand.ProtocolMetadata, length, context.RequestServices)
    {
        HttpContext = context;
        Ticket = UploadTicketInfo.From(permit);
        IsPart = createCommand.Concatenation is { IsPart: true };
    }

    /// <summary>Gets whether the upload is a part of a concatenation (tus). The final upload has events of its own.</summary>
    public bool IsPart { get; }

    /// <summary>Gets the request that creates the upload.</summary>
    public HttpContext HttpContext { get; }

    internal Rejection? Rejection { get; private set; }

    internal string? ChosenFileName { get; private set; }

    /// <summary>Rejects the upload. Nothing is stored, and the client receives the reason.</summary>
    /// <param name="statusCode">The status code of the response, 400 to 599. Use 403 or 422 if a retry is useless, 429 or 503 if the client should retry later.</param>
    /// <param name="reason">The detail of the problem response.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="statusCode"/> is not between 400 and 599.</exception>
    public void Reject(int statusCode, string reason)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(statusCode, 400);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(statusCode, 599);
        ArgumentNullException.ThrowIfNull(reason);
        Rejection = new Rejection(statusCode, reason);
    }

    /// <summary>Sets the file name of the upload. It is sanitized like a name sent by a client.</summary>
    /// <param name="fileName">The file name.</param>
    public void SetFileName(string fileName)
    {
        ArgumentException.ThrowIfNullOrEmpty(fileName);
        FileName = ChosenFileName = FileNameSanitizer.Sanitize(fileName);
    }
}
