using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Tests.Http;

namespace ResumableUploads.Tests.Network;

/// <summary>A real server for uploads of all protocols at one path, that can be broken on purpose, and what its handler was given.</summary>
internal sealed class NetworkApp : IAsyncDisposable
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
                Durability = store == Files ? Durability.Process : Durability.PowerLoss,
            });
    }

    public Uri Address => _app!.Address;

    /// <summary>The store as it is, also where the server has a broken one before it.</summary>
    public IUploadStore Store { get; }

    /// <summary>What was wrong with what the handler was given.</summary>
    public ConcurrentQueue<string> Faults { get; } = new();

    /// <summary>How often the handler was run.</summary>
    public int HandlerRuns => _runs.Values.Sum();

    public static async Task<NetworkApp> StartAsync(string store, HttpProtocols protocols = HttpProtocols.Http1, Broken broken = Broken.Nothing)
    {
        var app = new NetworkApp(store, broken);
        app._app = await TestApp.StartAsync(
            options =>
            {
                options.Store = broken is Broken.Nothing or Broken.IgnoresOffsets or Broken.RunsHandlerTwice ? app.Store : new BrokenStore(app.Store, broken);
                options.AnonymousOwner = AnonymousOwner.Shared;
                options.UploadPath = Path;
                options.MaxUploadSize = MaxUploadSize;

                // What clients make and never hear of is left behind.
                options.MaxUploadsPerOwner = int.MaxValue;
                options.MaxBytesPerOwner = long.MaxValue;
                options.MaxAppendsPerOwner = int.MaxValue;
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

    public static UploadKey KeyOfFile(string fileId) => UploadKeys.FromFileId(Owner, Path, Encoding.ASCII.GetBytes(fileId));

    public static UploadKey KeyOfTus(string url) => UploadKeys.FromServerId(Owner, Path, url[^IdLength..]);

    public static UploadKey KeyOfIetf(string url) => UploadKeys.FromIetfId(Owner, Path, url[^IdLength..]);

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

    private async Task CompletedAsync(CompletedUpload upload, CancellationToken cancellationToken)
    {
        byte[] hash;
        if (upload.Size % 2 == 0)
        {
            hash = await upload.ComputeDigestAsync(HashAlgorithmName.SHA256, cancellationToken);
        }
        else
        {
            string path = await upload.MoveIntoAsync(System.IO.Path.Combine(_directory, "done"), cancellationToken);
            hash = SHA256.HashData(await File.ReadAllBytesAsync(path, cancellationToken));
            File.Delete(path);
        }

        if (!_expected.TryGetValue(upload.FileName, out byte[]? expected) || !hash.AsSpan().SequenceEqual(expected))
        {
            Faults.Enqueue($"{upload.FileName}: the handler was given other bytes ({upload.Size} of them) than were sent.");
        }

        int times = _broken == Broken.RunsHandlerTwice && upload.Size % 5 == 0 ? 2 : 1;
        if (_runs.AddOrUpdate(upload.Key, times, (_, count) => count + times) > 1 || upload.IsRepeat)
        {
            Faults.Enqueue($"{upload.FileName}: the handler was run a second time.");
        }

        Finished(upload.Key).TrySetResult();
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
