using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ResumableUploads.Cli.CommandLine;
using ResumableUploads.Cli.Files;
using ResumableUploads.Cli.Output;
using ResumableUploads.Client;

namespace ResumableUploads.Cli.Running;

/// <summary>What the commands share.</summary>
internal sealed class RunContext(CommandSettings settings, HttpClient httpClient, StateDirectory state, IRunOutput output, HeaderProvider headers)
{
    private const string RelativePathKey = "relativePath";

    public CommandSettings Settings => settings;

    public StateDirectory State => state;

    public IRunOutput Output => output;

    public required TimeProvider TimeProvider { get; init; }

    /// <summary>Creates a client.</summary>
    /// <param name="store">The store of states, if it is not that of the user.</param>
    public ResumableUploadClient CreateClient(IUploadStateStore? store = null) =>
        new(httpClient, new ResumableUploadClientOptions { StateStore = store ?? state.Uploads, AllowOtherHosts = settings.AllowOtherHosts, TimeProvider = TimeProvider });

    public UploadOptions CreateOptions(UploadItem item)
    {
        var options = new UploadOptions
        {
            Protocol = settings.Protocol,
            Id = settings.Id,

            // A server takes only the last part as the name. tus has metadata for the rest.
            FileName = settings.Name ?? (settings.Protocol == UploadProtocol.Tus ? null : item.RelativePath),
            ContentType = settings.ContentType,
            Length = settings.Size,
            ChunkSize = settings.ChunkSize,
            Digest = settings.Digest,
        };
        options.Request.Method = settings.Method;
        options.Retry.MaxRetries = settings.Retries;
        headers.AddTo(options.Request);
        if (item.RelativePath is { } relativePath)
        {
            options.Request.Metadata[RelativePathKey] = relativePath;
        }

        return options;
    }

    /// <summary>Returns the key of an upload in the state directory, or null if no other run can continue it.</summary>
    public string? GetKey(UploadItem item)
    {
        string? name = settings.Id is { } id ? $"id\n{id}" : item.IsStandardInput ? null : $"path\n{item.Path}";
        return name is null ? null : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{settings.Protocol}\n{settings.To.AbsoluteUri}\n{name}")));
    }

    /// <summary>Locks the upload of a file until the result is disposed.</summary>
    /// <param name="item">The file.</param>
    /// <param name="isLocked">Whether another process has locked the upload.</param>
    /// <returns>The lock, or null if another process has it or the upload has no key.</returns>
    public IDisposable? TryLock(UploadItem item, out bool isLocked)
    {
        string? key = GetKey(item);
        IDisposable? uploadLock = key is null ? null : state.TryLock(key);
        isLocked = key is not null && uploadLock is null;
        return uploadLock;
    }

    /// <summary>Returns whether a run has completed this file before it was interrupted.</summary>
    public async Task<bool> WasCompletedAsync(UploadItem item)
    {
        return item.Length is not null && GetKey(item) is { } key
            && await state.Completed.GetAsync(key, CancellationToken.None) is { } completed
            && completed.Fingerprint == GetFingerprint(item);
    }

    public async Task SetCompletedAsync(UploadItem item, UploadReference upload)
    {
        if (item.Length is not null && GetKey(item) is { } key)
        {
            await state.Completed.SetAsync(key, new UploadStateEntry(upload, item.Length, GetFingerprint(item)), CancellationToken.None);
        }
    }

    public async Task ForgetCompletedAsync(UploadItem item)
    {
        if (GetKey(item) is { } key)
        {
            await state.Completed.RemoveAsync(key, CancellationToken.None);
        }
    }

    private static string GetFingerprint(UploadItem item) =>
        string.Create(CultureInfo.InvariantCulture, $"{item.Length}-{item.LastModified.Ticks}");
}
