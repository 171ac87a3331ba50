using System.Security.Cryptography;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Content;
using ResumableUploads.Hosting.Events;
using ResumableUploads.Hosting.Startup;

namespace ResumableUploads;

/// <summary>An upload whose bytes are all durable, with access to its content.</summary>
public abstract class ReceivedUpload : UploadEvent
{
    private readonly IUploadStore _store;
    private readonly EngineRecord _record;

    private protected ReceivedUpload(IUploadStore store, UploadInfo info, EngineRecord record, IServiceProvider services)
        : base(info.Key, record.FileName, record.RawFileName, record.ContentType, record.ProtocolMetadata, info.Offset, services)
    {
        _store = store;
        _record = record;
        Size = info.Offset;
        ContentEncoding = record.ContentCoding;
        Digest = record.ReprDigest;
        Ticket = UploadTicketInfo.From(record.Permit);
        Attempt = record.Handler?.TotalRuns ?? 0;
    }

    /// <summary>Gets the size of the content, in bytes.</summary>
    public long Size { get; }

    /// <summary>
    /// Gets the content coding in which the client sent the content, such as <c>gzip</c>, or <see langword="null"/> if it is not encoded. The content is not decoded.
    /// </summary>
    public string? ContentEncoding { get; }

    /// <summary>Gets the verified digest of the content that the client sent (RFC 9530), as <c>sha-256=:base64:</c>, or <see langword="null"/> if it sent none.</summary>
    public string? Digest { get; }

    /// <summary>Gets the number of times that the handler was started for this upload, including this run.</summary>
    public int Attempt { get; }

    /// <summary>Gets whether the handler was started for this upload before. It may have succeeded without its result being stored, if the process ended.</summary>
    public bool IsRepeat => Attempt > 1;

    /// <summary>Gets a function that is called before the content is moved, or <see langword="null"/>. Its result is disposed after <see cref="OnMoved"/>.</summary>
    internal Func<IDisposable>? OnMoving { get; init; }

    /// <summary>Gets a function that is called after the content was moved out of the store, or <see langword="null"/>.</summary>
    internal Func<CancellationToken, Task>? OnMoved { get; init; }

    /// <summary>Opens the content for reading.</summary>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A seekable stream. The caller disposes it.</returns>
    /// <exception cref="InvalidOperationException">The content was moved away, or the upload was deleted or replaced.</exception>
    public async Task<Stream> OpenReadAsync(CancellationToken cancellationToken = default) =>
        await _store.OpenReadAsync(Key, _record, cancellationToken)
            ?? throw new InvalidOperationException("The content was moved away.");

    /// <summary>Computes a digest of the content. Reads all of it.</summary>
    /// <param name="algorithm">The hash algorithm, for example <see cref="HashAlgorithmName.SHA256"/>.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The digest.</returns>
    /// <exception cref="InvalidOperationException">The content was moved away, or the upload was deleted or replaced.</exception>
    public async Task<byte[]> ComputeDigestAsync(HashAlgorithmName algorithm, CancellationToken cancellationToken = default)
    {
        Stream content = await OpenReadAsync(cancellationToken);
        await using (content)
        {
            return await CryptographicOperations.HashDataAsync(algorithm, content, cancellationToken);
        }
    }

    /// <summary>
    /// Moves the content to a file: a rename on the same volume, otherwise a copy that is synced before the original is deleted. Creates the
    /// directory if it does not exist. The call can be repeated after a crash.
    /// </summary>
    /// <remarks>
    /// If the store does not have <see cref="IContentMover"/>, like most stores on object storage, this is a download: all bytes pass through the server, and
    /// the original stays in the store. Use <see cref="CopyToContainerAsync"/> to copy the content within the storage service.
    /// </remarks>
    /// <param name="path">
    /// The path of the file. A relative path is relative to the content root. Never derive it from <see cref="UploadEvent.RawFileName"/>.
    /// </param>
    /// <param name="overwrite">Whether to replace an existing file. Default: <see langword="false"/>.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The full path of the file.</returns>
    /// <exception cref="IOException">Another file exists at the path.</exception>
    /// <exception cref="InvalidOperationException">The upload was deleted or replaced, or is one of a form, and another call is moving its content.</exception>
    public async Task<string> MoveToFileAsync(string path, bool overwrite = false, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string target = ContentRoot.GetFullPath(Services, path);
        return await TryMoveAsync(target, overwrite, cancellationToken)
            ?? throw new IOException($"Another file exists at '{target}'. Choose another path, or pass overwrite: true.");
    }

    /// <summary>
    /// Moves the content into a directory, as <see cref="UploadEvent.FileName"/> or, if that name exists, with a number or a short random text before the
    /// extension, such as <c>name (1).txt</c> or <c>name (3f9c27d1).txt</c>. The call can be repeated after a crash.
    /// </summary>
    /// <remarks>
    /// If the store does not have <see cref="IContentMover"/>, like most stores on object storage, this is a download: all bytes pass through the server, and
    /// the original stays in the store. Use <see cref="CopyToContainerAsync"/> to copy the content within the storage service.
    /// </remarks>
    /// <param name="directory">The directory. A relative path is relative to the content root. It is created if it does not exist.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The full path of the file.</returns>
    /// <exception cref="IOException">The directory has too many files of this name.</exception>
    /// <exception cref="InvalidOperationException">The upload was deleted or replaced, or is one of a form, and another call is moving its content.</exception>
    public async Task<string> MoveToDirectoryAsync(string directory, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        string folder = ContentRoot.GetFullPath(Services, directory);
        foreach (string name in UniqueFileNames.Get(FileName, Key))
        {
            if (await TryMoveAsync(Path.Combine(folder, name), overwrite: false, cancellationToken) is { } path)
            {
                return path;
            }
        }

        throw new IOException($"No free name for '{FileName}' was found in '{folder}'.");
    }

    /// <summary>
    /// Copies the content to an object of the storage service in which the store keeps it, so that the bytes do not pass through the server. The upload stays
    /// in the store. The call can be repeated after a crash.
    /// </summary>
    /// <param name="container">The name of the container or bucket. It must exist.</param>
    /// <param name="name">The name of the object in the container. Never derive it from <see cref="UploadEvent.RawFileName"/> without validation.</param>
    /// <param name="overwrite">Whether to replace an existing object. Default: <see langword="false"/>.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A task that completes when the copy is durable.</returns>
    /// <exception cref="IOException">Another object exists at the target.</exception>
    /// <exception cref="NotSupportedException">The store does not have <see cref="IContentCopier"/>.</exception>
    /// <exception cref="InvalidOperationException">The upload was deleted or replaced.</exception>
    /// <exception cref="UploadStoreException">The storage failed, or the upload was locked by another request or process for 30 seconds.</exception>
    public async Task CopyToContainerAsync(string container, string name, bool overwrite = false, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(container);
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (!await new UploadContentMover(_store, Key, _record).TryCopyToContainerAsync(container, name, overwrite, cancellationToken))
        {
            throw new IOException($"Another object '{name}' exists in container '{container}'. Choose another name, or pass overwrite: true.");
        }
    }

    /// <summary>Creates a URL of the storage service that lets its bearer read the content until it expires.</summary>
    /// <param name="lifetime">The time until the URL expires. It must be positive; the service may limit it to seven days.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The URL. It is valid only as long as the upload is in the store. Treat it as a secret.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="lifetime"/> is not positive, or longer than the service allows.</exception>
    /// <exception cref="NotSupportedException">The store does not have <see cref="IContentUrlProvider"/>.</exception>
    /// <exception cref="InvalidOperationException">The upload was deleted or replaced, or the credentials of the store cannot sign URLs.</exception>
    /// <exception cref="UploadStoreException">The storage failed, or the upload was locked by another request or process for 30 seconds.</exception>
    public async Task<Uri> CreateReadUrlAsync(TimeSpan lifetime, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lifetime, TimeSpan.Zero);
        return await new UploadContentMover(_store, Key, _record).CreateReadUrlAsync(lifetime, cancellationToken);
    }

    private async ValueTask<string?> TryMoveAsync(string target, bool overwrite, CancellationToken cancellationToken)
    {
        using IDisposable? move = OnMoving?.Invoke();
        string? path = await new UploadContentMover(_store, Key, _record).TryMoveAsync(target, overwrite, cancellationToken);
        if (path is not null && OnMoved is { } onMoved)
        {
            await onMoved(cancellationToken);
        }

        return path;
    }
}
