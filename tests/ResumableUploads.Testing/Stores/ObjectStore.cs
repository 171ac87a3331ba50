using System.Collections.Concurrent;
using System.Net;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.TestKit;

namespace ResumableUploads.Testing.Stores;

/// <summary>A store that copies content to objects in memory, and serves content over HTTP. It stands for a store on object storage.</summary>
internal class ObjectStore(IUploadStore innerStore) : DelegatingUploadStore(innerStore), IContentCopier, IContentUrlProvider, IAsyncDisposable
{
    private WebApplication? _server;

    /// <summary>Gets the objects with the upload that each of them was copied from.</summary>
    public ConcurrentDictionary<(string Container, string Name), (string Source, byte[] Content)> Objects { get; init; } = [];

    /// <summary>Gets or sets what happens before each copy and before each creation of a URL.</summary>
    public Func<UploadKey, Task>? BeforeCall { get; set; }

    public virtual async ValueTask<CopyStatus> CopyContentAsync(
        UploadKey key, string version, string container, string name, bool overwrite, CancellationToken cancellationToken)
    {
        await (BeforeCall?.Invoke(key) ?? Task.CompletedTask);
        UploadInfo? info = await InnerStore.GetAsync(key, cancellationToken);
        CopyStatus status = Check(info, version);
        if (status != CopyStatus.Copied)
        {
            return status;
        }

        byte[] content = await ReadAsync(key, cancellationToken);
        string source = $"{key} {version.Split('-')[0]}";
        if (!overwrite && Objects.TryGetValue((container, name), out (string Source, byte[]) existing) && existing.Source != source)
        {
            return CopyStatus.TargetExists;
        }

        Objects[(container, name)] = (source, content);
        return CopyStatus.Copied;
    }

    public virtual async ValueTask<Uri?> CreateReadUrlAsync(UploadKey key, string version, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lifetime, TimeSpan.Zero);
        await (BeforeCall?.Invoke(key) ?? Task.CompletedTask);
        return Check(await InnerStore.GetAsync(key, cancellationToken), version) == CopyStatus.Copied
            ? await ServeAsync(await ReadAsync(key, cancellationToken), cancellationToken)
            : null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    protected async Task<Uri> ServeAsync(byte[] content, CancellationToken cancellationToken)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static options => options.Listen(IPAddress.Loopback, 0));
        _server = builder.Build();
        _server.MapGet("/content", () => Results.Bytes(content));
        await _server.StartAsync(cancellationToken);
        return new Uri(_server.Urls.Single() + "/content");
    }

    private static CopyStatus Check(UploadInfo? info, string version) =>
        info is null ? CopyStatus.NotFound
        : info.State == UploadState.Receiving ? CopyStatus.Busy
        : info.Version != version ? CopyStatus.VersionMismatch
        : CopyStatus.Copied;

    private async Task<byte[]> ReadAsync(UploadKey key, CancellationToken cancellationToken)
    {
        await using Stream content = (await InnerStore.OpenReadAsync(key, cancellationToken))!;
        using var copy = new MemoryStream();
        await content.CopyToAsync(copy, cancellationToken);
        return copy.ToArray();
    }
}

/// <summary>Copies without checking the upload or the target, and creates URLs of other content.</summary>
internal sealed class CopiesWithoutConditions(IUploadStore innerStore) : ObjectStore(innerStore)
{
    public override async ValueTask<CopyStatus> CopyContentAsync(
        UploadKey key, string version, string container, string name, bool overwrite, CancellationToken cancellationToken)
    {
        UploadInfo? info = await InnerStore.GetAsync(key, cancellationToken);
        Objects[(container, name)] = ("", info is null ? [] : new byte[info.Offset]);
        return CopyStatus.Copied;
    }

    public override async ValueTask<Uri?> CreateReadUrlAsync(UploadKey key, string version, TimeSpan lifetime, CancellationToken cancellationToken) =>
        await ServeAsync([1], cancellationToken);
}

/// <summary>Takes a copy of the same upload for another object.</summary>
internal sealed class ForgetsItsCopies(IUploadStore innerStore) : ObjectStore(innerStore)
{
    public override async ValueTask<CopyStatus> CopyContentAsync(
        UploadKey key, string version, string container, string name, bool overwrite, CancellationToken cancellationToken) =>
        !overwrite && Objects.ContainsKey((container, name))
            ? CopyStatus.TargetExists
            : await base.CopyContentAsync(key, version, container, name, overwrite, cancellationToken);
}

/// <summary>Creates object stores in memory.</summary>
internal sealed class ObjectStorage(Func<IUploadStore, ObjectStore> create) : StoreFixture
{
    private ObjectStore? _store;

    public override string CopyContainer => "copies";

    public override int BlockSize => 4096;

    public override ValueTask<IUploadStore> OpenStoreAsync(TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        _store = create(new MemoryUploadStore(timeProvider: timeProvider));
        return ValueTask.FromResult<IUploadStore>(_store);
    }

    public override ValueTask<byte[]?> ReadCopyAsync(string name, CancellationToken cancellationToken) =>
        ValueTask.FromResult(_store!.Objects.TryGetValue((CopyContainer, name), out (string, byte[] Content) found) ? found.Content : null);
}
