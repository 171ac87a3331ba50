using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Events;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads;

/// <summary>The base of all events: describes the upload.</summary>
public abstract class UploadEvent
{
    private static readonly IReadOnlyDictionary<string, string> EmptyMetadata = new Dictionary<string, string>();

    private protected UploadEvent(UploadKey key, string? fileName, string? rawFileName, string? contentType, string? metadata, long? length, IServiceProvider services)
    {
        Metadata = metadata is null ? EmptyMetadata : TusMetadata.TryParse(metadata)?.Values ?? EmptyMetadata;
        Key = key;
        FileName = fileName ?? FileNameSanitizer.Sanitize(rawFileName);
        RawFileName = rawFileName;
        ContentType = contentType;
        Length = length;
        Services = services;
    }

    /// <summary>Gets the key of the upload in the store. It is the same for every event and every run of the handler, so it can be used as an idempotency key.</summary>
    public UploadKey Key { get; }

    /// <summary>
    /// Gets a file name that is safe to use in a directory on any operating system: no path separators, no reserved name, at most 200 bytes of UTF-8. It is not unique.
    /// </summary>
    public string FileName { get; private protected set; }

    /// <summary>Gets the file name as the client sent it, or <see langword="null"/>. Encode it for display; never use it as a path.</summary>
    public string? RawFileName { get; }

    /// <summary>Gets the media type that the client sent, unchecked, or <see langword="null"/>.</summary>
    public string? ContentType { get; }

    /// <summary>
    /// Gets the metadata that the client sent (<see href="https://tus.io/protocols/resumable-upload#upload-metadata">Upload-Metadata</see> of tus), unchecked.
    /// Values that are not UTF-8 text are omitted. Empty for other protocols.
    /// </summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Gets the upload length in bytes, or <see langword="null"/> while it is unknown.</summary>
    public long? Length { get; }

    /// <summary>Gets the ticket with which the upload was created, or <see langword="null"/> if it was created without one.</summary>
    public UploadTicketInfo? Ticket { get; private protected init; }

    /// <summary>Gets the services of the current scope: of the request, or of a new scope for events without a request.</summary>
    public IServiceProvider Services { get; }
}
