using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Diagnostics;
using ResumableUploads.Engine.Management;
using ResumableUploads.Hosting.Events;

namespace ResumableUploads;

/// <summary>An upload as an operator sees it.</summary>
public sealed class ManagedUpload
{
    internal ManagedUpload(string store, UploadInfo info, UploadDescription description)
    {
        Store = store;
        Key = info.Key;
        Offset = info.Offset;
        Length = info.Length;
        LastModified = info.LastModified;
        Expires = info.Expires;
        Created = description.Record.Created;
        Protocol = description.Record.Protocol;
        Endpoint = UploadOrigin.From(description.Record).Endpoint;
        FileName = description.Record.FileName ?? FileNameSanitizer.Sanitize(description.Record.RawFileName);
        RawFileName = description.Record.RawFileName;
        ContentType = description.Record.ContentType;
        IsAppending = description.IsAppending;
        IsContentStored = info.State != UploadState.Completed || EngineRecord.HasStoredContent(info);
        IsHandlerRunning = description.IsHandlerRunning;
        IsPart = description.Record.Concatenation is { IsPart: true };
        IsConcatenation = description.Record.Concatenation is { IsPart: false };
        HandlerAttempts = description.Record.Handler?.Attempts ?? 0;
        IsClientFault = description is { IsDeadLettered: true, Record.Handler.IsClientFault: true };
        State = info.State switch
        {
            UploadState.Receiving => ManagedUploadState.Receiving,
            UploadState.Completed => ManagedUploadState.Completed,
            _ when description.IsDeadLettered => ManagedUploadState.DeadLettered,
            _ when description.HasHandlerFailed => ManagedUploadState.Failed,
            _ => ManagedUploadState.Received,
        };
        NextAttempt = State == ManagedUploadState.Failed ? description.Record.Handler?.RetryAt : null;
    }

    /// <summary>Gets the key of the upload. It contains hashes, and no text of a client.</summary>
    public UploadKey Key { get; }

    /// <summary>Gets the name of the store: its type, and a number if the application has several stores of the type. The metrics have the same names.</summary>
    public string Store { get; }

    /// <summary>Gets the state of the upload.</summary>
    public ManagedUploadState State { get; }

    /// <summary>Gets the number of durable bytes.</summary>
    public long Offset { get; }

    /// <summary>Gets the length, in bytes, of the whole content, or <see langword="null"/> while it is unknown.</summary>
    public long? Length { get; }

    /// <summary>Gets the time at which the upload was created.</summary>
    public DateTimeOffset Created { get; }

    /// <summary>Gets the time at which the upload last changed.</summary>
    public DateTimeOffset LastModified { get; }

    /// <summary>Gets the time at which the upload expires if it does not change, or <see langword="null"/> if it does not expire.</summary>
    public DateTimeOffset? Expires { get; }

    /// <summary>Gets the protocol that created the upload: <c>file-id</c>, <c>tus</c> or <c>ietf</c>.</summary>
    public string Protocol { get; }

    /// <summary>Gets the route pattern of the endpoint, or the path of the middleware, or <see langword="null"/> if it is unknown.</summary>
    public string? Endpoint { get; }

    /// <summary>Gets a file name without path separators and reserved names, as in <see cref="UploadEvent.FileName"/>. Encode it for display.</summary>
    public string FileName { get; }

    /// <summary>Gets the file name as the client sent it, or <see langword="null"/>. Encode it for display; never use it as a path.</summary>
    public string? RawFileName { get; }

    /// <summary>Gets the media type that the client sent, unchecked, or <see langword="null"/>. Encode it for display.</summary>
    public string? ContentType { get; }

    /// <summary>Gets a value that indicates whether a request of this process appends to the upload.</summary>
    public bool IsAppending { get; }

    /// <summary>
    /// Gets a value that indicates whether the record says that the store has the content. <see langword="false"/> after the content of a completed upload was moved or
    /// removed. A handler that has moved the content and then failed is not known, so it can be <see langword="true"/> although
    /// <see cref="IUploadManager.OpenReadAsync"/> returns <see langword="null"/>.
    /// </summary>
    public bool IsContentStored { get; }

    /// <summary>
    /// Gets a value that indicates whether the upload is a part of another one, which the client concatenates. A part stays <see cref="ManagedUploadState.Receiving"/> after
    /// its last byte. Removing it makes that other upload impossible.
    /// </summary>
    public bool IsPart { get; }

    /// <summary>Gets a value that indicates whether the content of the upload consists of the parts that were uploaded before.</summary>
    public bool IsConcatenation { get; }

    /// <summary>
    /// Gets a value that indicates whether a process runs the completion handler. After the crash of that process, it remains <see langword="true"/> for
    /// <see cref="ResumableUploadHandlerOptions.LeaseDuration"/>.
    /// </summary>
    public bool IsHandlerRunning { get; }

    /// <summary>Gets the number of attempts of the completion handler that count against <see cref="ResumableUploadHandlerOptions.MaxAttempts"/>.</summary>
    public int HandlerAttempts { get; }

    /// <summary>Gets the time from which the failed completion handler runs again, or <see langword="null"/> if it has not failed or runs with the next sweep.</summary>
    public DateTimeOffset? NextAttempt { get; }

    /// <summary>
    /// Gets a value that indicates whether the upload is dead-lettered by the fault of its client, such as an invalid antiforgery token. Running the
    /// handler again does not help.
    /// </summary>
    public bool IsClientFault { get; }
}
