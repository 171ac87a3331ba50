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

/// <summary>A real server for uploads of all protocols at one path, that can be broken on purpose, and what its handler was given.</summary>
internal sealed class NetworkApp : IUploadServer, IAsyncDisposable
{
    public const string Path = "/upload";
    public const int MaxUploadSize = 250_000;
    public const string Memory = "memory";
    public const string Files = "files";
    public const string SyncedFiles = "synced files";
    private const int IdLength = 40;
    private const string Owner = "anonymous";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _directory = Directory.CreateTempSubdirectory("network-test-").FullName;
    private readonly ConcurrentDictionary<string, byte[]> _expected = new();
    private readonly ConcurrentDictionary<UploadKey, int> _runs = new();
    private readonly ConcurrentDictionary<string, bool> _names = new();
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

    /// <summary>Where a client that names its uploads asks for them. An endpoint answers for itself.</summary>
    public string StatusPath { get; private init; } = "/status";

    public Uri Address => _app!.Address;

    /// <summary>The store as it is, also where the server has a broken one before it.</summary>
    public IUploadStore Store { get; }

    IUploadStore IUploadServer.Store => Store;

    int IUploadServer.FullMoments => 0;

    Task<Uri> IUploadServer.ReadyAsync(CancellationToken cancellationToken) => Task.FromResult(Address);

    /// <summary>What was wrong with what the handler was given.</summary>
    public ConcurrentQueue<string> Faults { get; } = new();

    /// <param name="store">Where uploads are kept.</param>
    /// <param name="protocols">What the server speaks.</param>
    /// <param name="broken">How it is broken.</param>
    /// <param name="onEndpoint">The handler is an endpoint of the app; else <c>OnCompleted</c>.</param>
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

    /// <summary>Tells what an upload of this file name has to be.</summary>
    public void Expect(string fileName, byte[] content) => _expected[fileName] = SHA256.HashData(content);

    public static UploadKey KeyOfFile(string fileId) => UploadKeyFactory.FromFileId(Owner, Path, Encoding.ASCII.GetBytes(fileId));

    public static UploadKey KeyOfTus(string url) => UploadKeyFactory.FromTusId(Owner, Path, url[^IdLength..]);

    public static UploadKey KeyOfIetf(string url) => UploadKeyFactory.FromIetfId(Owner, Path, url[^IdLength..]);

    /// <summary>Until the handler was run for this upload.</summary>
    public async Task FinishedAsync(UploadKey key)
    {
        try
        {
            await Finished(key).Task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new NetworkFault("The client was told that all bytes are there, and the handler was not run.");
        }
    }

    /// <summary>The same for a client that was never told the name of its upload.</summary>
    public void SeeFinished(string fileName)
    {
        if (!_names.ContainsKey(fileName))
        {
            throw new NetworkFault("The client has the last answer, and the handler was not run.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        (Store as IDisposable)?.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private TaskCompletionSource Finished(UploadKey key) =>
        _finished.GetOrAdd(key, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    private void Configure(ResumableUploadOptions options)
    {
        options.Store = _broken is Broken.Nothing or Broken.IgnoresOffsets or Broken.RunsHandlerTwice ? Store : new MisbehavingStore(Store, _broken);
        options.AnonymousOwner = AnonymousOwner.Shared;
        options.UploadPath = Path;
        options.MaxUploadSize = MaxUploadSize;

        // What clients make and never hear of is left behind.
        options.Limits.MaxUploadsPerOwner = int.MaxValue;
        options.Limits.MaxBytesPerOwner = long.MaxValue;
        options.Limits.MaxAppendsPerOwner = int.MaxValue;
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
            Faults.Enqueue($"{fileName}: the handler was given other bytes ({size} of them) than were sent.");
        }

        int times = _broken == Broken.RunsHandlerTwice && size % 5 == 0 ? 2 : 1;
        if (_runs.AddOrUpdate(key, times, (_, count) => count + times) > 1 || isRepeat)
        {
            Faults.Enqueue($"{fileName}: the handler was run a second time.");
        }

        _names[fileName] = true;
        Finished(key).TrySetResult();
    }

    /// <summary>Takes every piece for one that begins where the upload ends.</summary>
    private async Task IgnoreOffsetAsync(HttpContext context, RequestDelegate next)
    {
        IHeaderDictionary headers = context.Request.Headers;
        string path = context.Request.Path.Value!;
        (string Name, UploadKey Key)? piece = headers["X-File-Id"].ToString() is { Length: > 0 } fileId && context.Request.Method == "POST" ? ("X-Start-Byte", KeyOfFile(fileId))
            : context.Request.Method != "PATCH" ? null
            : ("Upload-Offset", headers.ContainsKey("Tus-Resumable") ? KeyOfTus(path) : KeyOfIetf(path));
        if (piece is { } append && await Store.GetAsync(append.Key, CancellationToken.None) is { } upload)
        {
            headers[append.Name] = upload.Offset.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        await next(context);
    }
}
