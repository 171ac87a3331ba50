using System.Security.Cryptography;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Events;

namespace ResumableUploads;

/// <summary>An upload whose bytes are all durable, with its content.</summary>
public abstract class ReceivedUpload : UploadEvent
{
    private readonly IUploadStore _store;
    private string? _movedTo;

    private protected ReceivedUpload(IUploadStore store, UploadInfo info, EngineRecord record, IServiceProvider services)
        : base(info.Key, record.FileName, record.RawFileName, record.ContentType, record.ProtocolMetadata, info.Offset, services)
    {
        _store = store;
        Size = info.Offset;
        Digest = record.ReprDigest;
        Attempt = record.Handler?.TotalRuns ?? 0;
    }

    /// <summary>How many bytes the content has.</summary>
    public long Size { get; }

    /// <summary>A digest of the whole content that the client sent and the server has verified, as <c>sha-256=:base64:</c>, or null.</summary>
    public string? Digest { get; }

    /// <summary>How often the handler was started for this upload, this run included.</summary>
    public int Attempt { get; }

    /// <summary>Whether the handler has been started for this upload before: it may have worked, and its outcome been lost with the process.</summary>
    public bool IsRepeat => Attempt > 1;

    /// <summary>Opens the content.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>A seekable stream, to be disposed.</returns>
    /// <exception cref="InvalidOperationException">The content was moved away.</exception>
    public async Task<Stream> OpenReadAsync(CancellationToken cancellationToken = default) =>
        await _store.OpenReadAsync(Key, cancellationToken)
            ?? throw new InvalidOperationException("The content was moved away.");

    /// <summary>Computes the digest of the content.</summary>
    /// <param name="algorithm">For example <see cref="HashAlgorithmName.SHA256"/>.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<byte[]> ComputeDigestAsync(HashAlgorithmName algorithm, CancellationToken cancellationToken = default)
    {
        Stream content = await OpenReadAsync(cancellationToken);
        await using (content)
        {
            return await CryptographicOperations.HashDataAsync(algorithm, content, cancellationToken);
        }
    }

    /// <summary>
    /// Moves the content to a path: a rename on one volume, else a copy that is synced before the original goes. The directory is made where
    /// it is missing. It may be repeated after a crash.
    /// </summary>
    /// <param name="path">Where to. Never make it of <see cref="UploadEvent.RawFileName"/>.</param>
    /// <param name="overwrite">Whether a file that is there may be replaced. Default: false.</param>
    /// <param name="cancellationToken">Ends a copy.</param>
    /// <returns>The full path of the file.</returns>
    /// <exception cref="IOException">Another file is at the path.</exception>
    public async Task<string> MoveToFileAsync(string path, bool overwrite = false, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string target = Path.GetFullPath(path);
        return await TryMoveAsync(target, overwrite, cancellationToken)
            ?? throw new IOException($"There is another file at '{target}'.");
    }

    /// <summary>
    /// Moves the content into a directory, under <see cref="UploadEvent.FileName"/> or, where that is taken, under the next free name
    /// like <c>name (1).txt</c>. It may be repeated after a crash.
    /// </summary>
    /// <param name="directory">Where to. It is made where it is missing.</param>
    /// <param name="cancellationToken">Ends a copy.</param>
    /// <returns>The full path of the file.</returns>
    public async Task<string> MoveToDirectoryAsync(string directory, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        string folder = Path.GetFullPath(directory);
        for (int number = 0; ; number++)
        {
            string target = Path.Combine(folder, FileNameSanitizer.AppendNumber(FileName, number));
            if (await TryMoveAsync(target, overwrite: false, cancellationToken) is { } path)
            {
                return path;
            }
        }
    }

    private async ValueTask<string?> TryMoveAsync(string target, bool overwrite, CancellationToken cancellationToken) =>
        await new UploadContentMover(_store, Key).TryMoveAsync(target, overwrite, IsRepeat || target == _movedTo, cancellationToken)
            is { } path ? _movedTo = path : null;
}
