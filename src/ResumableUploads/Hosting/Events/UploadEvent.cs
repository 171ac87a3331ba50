using Microsoft.AspNetCore.Http;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Events;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads;

/// <summary>What every event tells about its upload.</summary>
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

    /// <summary>The name of the upload in the store: the same for every event and every run of a handler. An idempotency key.</summary>
    public UploadKey Key { get; }

    /// <summary>
    /// A file name that is safe to use below a directory on any system: no path, no reserved name, at most 200 bytes. It is not unique.
    /// </summary>
    public string FileName { get; private protected set; }

    /// <summary>The name as the client sent it. Show it encoded; never use it as a path.</summary>
    public string? RawFileName { get; }

    /// <summary>The media type that the client stated, unchecked, or null.</summary>
    public string? ContentType { get; }

    /// <summary>
    /// What the client said about the upload in pairs (<c>Upload-Metadata</c> of tus), unchecked. Values that are no text are left out. Empty for other
    /// protocols.
    /// </summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The length of the whole content in bytes, or null while it is not known.</summary>
    public long? Length { get; }

    /// <summary>Services of the present scope: the request's, or one made for a background run.</summary>
    public IServiceProvider Services { get; }
}

/// <summary>An upload is about to be made.</summary>
public sealed class UploadCreating : UploadEvent
{
    internal UploadCreating(UploadKey key, CreateCommand createCommand, long? length, HttpContext context)
        : base(key, null, createCommand.RawFileName, createCommand.ContentType, createCommand.ProtocolMetadata, length, context.RequestServices)
    {
        HttpContext = context;
        IsPart = createCommand.Concatenation is { IsPart: true };
    }

    /// <summary>Whether it is a part that is to be joined with others (concatenation of tus): the whole is another upload, with an event of its own.</summary>
    public bool IsPart { get; }

    /// <summary>The request that makes it.</summary>
    public HttpContext HttpContext { get; }

    internal Rejection? Rejection { get; private set; }

    internal string? ChosenFileName { get; private set; }

    /// <summary>Refuses the upload. Nothing is stored, and the client reads the reason.</summary>
    /// <param name="statusCode">400 to 599. Use 403 or 422 for a no that stays, 429 or 503 for "later".</param>
    /// <param name="reason">What the client is told, as the problem's detail.</param>
    public void Reject(int statusCode, string reason)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(statusCode, 400);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(statusCode, 599);
        ArgumentNullException.ThrowIfNull(reason);
        Rejection = new Rejection(statusCode, reason);
    }

    /// <summary>Chooses the file name that later events show. It is made safe like a client's.</summary>
    /// <param name="fileName">The name.</param>
    public void SetFileName(string fileName)
    {
        ArgumentException.ThrowIfNullOrEmpty(fileName);
        FileName = ChosenFileName = FileNameSanitizer.Sanitize(fileName);
    }
}

/// <summary>Bytes of an upload have become durable.</summary>
public sealed class UploadProgress : UploadEvent
{
    internal UploadProgress(UploadKey key, EngineRecord record, long offset, long? length, IServiceProvider services)
        : base(key, record.FileName, record.RawFileName, record.ContentType, record.ProtocolMetadata, length, services) => Offset = offset;

    /// <summary>How many bytes are durable.</summary>
    public long Offset { get; }
}

/// <summary>An upload has expired and was removed.</summary>
public sealed class UploadExpired : UploadEvent
{
    internal UploadExpired(UploadInfo info, EngineRecord record, IServiceProvider services)
        : base(info.Key, record.FileName, record.RawFileName, record.ContentType, record.ProtocolMetadata, info.Length, services)
    {
        Offset = info.Offset;
        State = info.State;
    }

    /// <summary>How many bytes it had.</summary>
    public long Offset { get; }

    /// <summary>How far it had come.</summary>
    public UploadState State { get; }
}
