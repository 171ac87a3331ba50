using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads.Abstractions;
using ResumableUploads.FaultTests.Network.Senders;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Network;

/// <summary>
/// A real server for uploads of all protocols at one path, which can be broken on purpose, and the uploads that its handler received.
/// </summary>
internal sealed class NetworkApp : IUploadServer, IAsyncDisposable
{
    public const string Path = "/upload";
    public const int MaxUploadSize = 250_000;
    public const string Memory = "memory";
    public const string Files = "files";
    public const string SyncedFiles = "synced files";
    private const int IdLength = 40;
    private const string Owner = "anonymous";
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    private readonly string _directory = Directory.CreateTempSubdirectory("network-test-").FullName;
    private readonly ConcurrentDictionary<string, byte[]> _expected = new();
    private readonly ConcurrentDictionary<UploadKey, int> _runs = new();
    private readonly ConcurrentDictionary<string, int> _runsByName = new();
    private readonly ConcurrentDictionary<UploadKey, TaskCompletionSource> _finished = new();
    private readonly Broken _broken;
    private TestApp? _app;

    private NetworkApp(string store, Broken broken)
    {
        _broken = broken;
        Store = store == Memory
            ? new MemoryUploadStore()
            : new FileSystemUploadStore(new FileSystemUploadStoreOptions
            {
                Directory = System.IO.Path.Combine(_directory, "store"),
                Durability = store == Files ? Durability.ProcessCrash : Durability.PowerLoss,
            });
    }

    /// <summary>Gets the path for status requests of a client that generates ids. An endpoint handles them itself.</summary>
    public string StatusPath { get; private init; } = "/status";

    /// <summary>Gets the scope of the keys of its uploads.</summary>
    public string Scope => StatusPath == Path ? UploadScopes.OfEndpoint(Path) : UploadScopes.OfMiddleware(Path);

    public Uri Address => _app!.Address;

    /// <summary>Gets the underlying store, even if the server uses a misbehaving one.</summary>
    public IUploadStore Store { get; }

    IUploadStore IUploadServer.Store => Store;

    int IUploadServer.FullMoments => 0;

    Task<Uri> IUploadServer.ReadyAsync(CancellationToken cancellationToken) => Task.FromResult(Address);

    /// <summary>Gets what was wrong with the uploads that the handler received.</summary>
    public ConcurrentQueue<string> Faults { get; } = new();

    /// <param name="store">The kind of store.</param>
    /// <param name="protocols">The protocols of the server.</param>
    /// <param name="broken">How the server is broken.</param>
    /// <param name="onEndpoint">Whether the handler is an endpoint of the app. Otherwise it is <c>OnCompleted</c>.</param>
    public static async Task<NetworkApp> StartAsync(
        string store, HttpProtocols protocols = HttpProtocols.Http1, Broken broken = Broken.Nothing, bool onEndpoint = false)
    {
        var app = new NetworkApp(store, broken) { StatusPath = onEndpoint ? Path : "/status" };
        app._app = onEndpoint
            ? await EndpointApp.StartAsync(
                builder => builder.MapPost(Path, (HttpContext context) => app.ReceivedAsync(context)).WithResumableUploads(), app.Configure, protocols: protocols)
            : await TestApp.StartAsync(
                options =>
                {
                    app.Configure(options);
                    options.OnCompleted = app.CompletedAsync;
                },
                before: builder =>
                {
                    if (broken == Broken.IgnoresOffsets)
                    {
                        builder.Use(app.IgnoreOffsetAsync);
                    }
                },
                protocols: protocols);
        return app;
    }

    /// <summary>Sets the expected content of an upload with this file name.</summary>
    public void Expect(string fileName, byte[] content) => _expected[fileName] = SHA256.HashData(content);

    public static UploadKey KeyOfFile(string scope, string fileId) => UploadKeyFactory.FromFileId(Owner, scope, Encoding.ASCII.GetBytes(fileId));

    public static UploadKey KeyOfTus(string scope, string url) => UploadKeyFactory.FromTusId(Owner, scope, url[^IdLength..]);

    public static UploadKey KeyOfIetf(string scope, string url) => UploadKeyFactory.FromIetfId(Owner, scope, url[^IdLength..]);

    /// <summary>Waits until the handler has run for this upload.</summary>
    public async Task FinishedAsync(UploadKey key)
    {
        try
        {
            await Finished(key).Task.WaitAsync(Timeout);
        }
        catch (TimeoutException)
        {
            throw new NetworkTestException("The server reported the upload as complete, but the handler did not run.");
        }
    }

    /// <summary>Asserts that the handler has run, for a client that never received the id of its upload.</summary>
    public void AssertHandlerRan(string fileName)
    {
        if (!_runsByName.ContainsKey(fileName))
        {
            throw new NetworkTestException("The client has the final response, but the handler did not run.");
        }
    }

    /// <summary>Asserts that the handler has run once, for a client that never sends content with a creation, whose response can be lost.</summary>
    public void AssertHandlerRanOnce(string fileName)
    {
        AssertHandlerRan(fileName);
        if (_runsByName[fileName] > 1)
        {
            throw new NetworkTestException($"{fileName} was uploaded {_runsByName[fileName]} times.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        (Store as IDisposable)?.Dispose();
        UploadDirectory.Delete(_directory);
    }

    private TaskCompletionSource Finished(UploadKey key) =>
        _finished.GetOrAdd(key, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    private void Configure(ResumableUploadOptions options)
    {
        options.Store = _broken is Broken.Nothing or Broken.IgnoresOffsets or Broken.RunsHandlerTwice ? Store : new MisbehavingStore(Store, _broken);
        options.AnonymousOwner = AnonymousOwner.Shared;
        options.UploadPath = Path;
        options.MaxUploadSize = MaxUploadSize;

        // Uploads whose creation response was lost remain in the store.
        options.Limits.MaxUploadsPerOwner = int.MaxValue;
        options.Limits.MaxBytesPerOwner = long.MaxValue;
        options.Limits.MaxAppendsPerOwner = int.MaxValue;
        options.Ietf.InterimResponses = InterimResponses.Always;
    }

    private async Task ReceivedAsync(HttpContext context)
    {
        IResumableUploadFeature upload = context.Features.Get<IResumableUploadFeature>()!;
        byte[] hash = await SHA256.HashDataAsync(context.Request.Body, context.RequestAborted);
        Judge(upload.Key, upload.FileName, upload.Size, hash, upload.IsRepeat);
        context.Response.StatusCode = 204;
    }

    private async Task CompletedAsync(CompletedUpload upload, CancellationToken cancellationToken)
    {
        byte[] hash;
        if (upload.Size % 2 == 0)
        {
            hash = await upload.ComputeDigestAsync(HashAlgorithmName.SHA256, cancellationToken);
        }
        else
        {
            string path = await upload.MoveToDirectoryAsync(System.IO.Path.Combine(_directory, "done"), cancellationToken);
            hash = SHA256.HashData(await File.ReadAllBytesAsync(path, cancellationToken));
            File.Delete(path);
        }

        Judge(upload.Key, upload.FileName, upload.Size, hash, upload.IsRepeat);
    }

    private void Judge(UploadKey key, string fileName, long size, byte[] hash, bool isRepeat)
    {
        if (!_expected.TryGetValue(fileName, out byte[]? expected) || !hash.AsSpan().SequenceEqual(expected))
        {
            Faults.Enqueue($"{fileName}: the handler received {size} bytes that differ from what was sent.");
        }

        int times = _broken == Broken.RunsHandlerTwice && size % 5 == 0 ? 2 : 1;
        if (_runs.AddOrUpdate(key, times, (_, count) => count + times) > 1 || isRepeat)
        {
            Faults.Enqueue($"{fileName}: the handler ran a second time.");
        }

        _runsByName.AddOrUpdate(fileName, 1, static (_, count) => count + 1);
        Finished(key).TrySetResult();
    }

    /// <summary>Replaces the offset of every request with the current one.</summary>
    private async Task IgnoreOffsetAsync(HttpContext context, RequestDelegate next)
    {
        IHeaderDictionary headers = context.Request.Headers;
        string path = context.Request.Path.Value!;
        (string Name, UploadKey Key)? chunk = headers["X-File-Id"].ToString() is { Length: > 0 } fileId && context.Request.Method == "POST" ? ("X-Start-Byte", KeyOfFile(Scope, fileId))
            : context.Request.Method != "PATCH" ? null
            : ("Upload-Offset", headers.ContainsKey("Tus-Resumable") ? KeyOfTus(Scope, path) : KeyOfIetf(Scope, path));
        if (chunk is { } append && await Store.GetAsync(append.Key, CancellationToken.None) is { } upload)
        {
            headers[append.Name] = upload.Offset.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        await next(context);
    }
}
