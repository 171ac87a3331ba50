using ResumableUploads.Abstractions;
using ResumableUploads.FunctionalTests.Connections;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.Ietf;

/// <summary>An app whose store tells what it has stored, and uploads of the IETF draft under way on plain sockets.</summary>
internal sealed class WatchedIetfApp : IAsyncDisposable
{
    private WatchedIetfApp(IetfApp app, WatchedStore store) => (App, Store) = (app, store);

    public IetfApp App { get; }

    public WatchedStore Store { get; }

    public HttpClient Client => App.Client;

    public static async Task<WatchedIetfApp> StartAsync(string place, Action<ResumableUploadOptions>? configure = null, string wire = IetfApp.Http1)
    {
        WatchedStore? store = null;
        IetfApp app = await IetfApp.StartAsync(place, wire, options =>
        {
            configure?.Invoke(options);
            options.Store = store ??= new WatchedStore(new FileSystemUploadStore(
                new FileSystemUploadStoreOptions { Directory = options.Directory, Durability = Durability.ProcessCrash }));
        });
        return new WatchedIetfApp(app, store!);
    }

    /// <summary>Begins to send: a creation where there is no URL yet. In chunks where no length is given.</summary>
    public async Task<RawConnection> BeginAsync(string? url, long offset, long? length, bool isLast, int? version = IetfClient.Newest, params string[] headers)
    {
        (string name, string value) = IetfClient.Completeness(version, isLast);
        RawConnection connection = await RawConnection.OpenAsync(App.Address);
        await connection.SendHeadAsync(
            url is null ? $"POST {IetfApp.Url}" : $"PATCH {url}",
            [
                .. version is null ? (string[])[] : [$"Upload-Draft-Interop-Version: {version}"],
                $"{name}: {value}",
                .. url is null ? (string[])[] : ["Content-Type: application/partial-upload", $"Upload-Offset: {offset}"],
                length is null ? "Transfer-Encoding: chunked" : $"Content-Length: {length}",
                .. headers,
            ]);
        return connection;
    }

    /// <summary>Makes an upload, sends a part of it, and goes silent when all of that is stored.</summary>
    public async Task<(string Url, RawConnection Silent)> StallAsync(byte[] file, int held, bool isChunked = false)
    {
        string url = await Client.BeginAsync();
        RawConnection silent = await BeginAsync(url, 0, isChunked ? null : file.Length, isLast: true, version: null);
        await (isChunked ? silent.SendChunkAsync(file.AsMemory(0, held)) : silent.SendAsync(file.AsMemory(0, held)));
        await WaitingAsync(url, held);
        return (url, silent);
    }

    /// <summary>Until the server has stored that much, and waits for more.</summary>
    public Task WaitingAsync(string url, long offset) => Store.WaitingAsync(KeyOf(url), offset);

    /// <summary>How many appends of an upload run.</summary>
    public int RunningOf(string url) => Store.SightOf(KeyOf(url)).Running;

    public ValueTask DisposeAsync() => App.DisposeAsync();

    private static UploadKey KeyOf(string url) => UploadKeyFactory.FromIetfId("anonymous", IetfApp.Url, url[^40..]);
}
