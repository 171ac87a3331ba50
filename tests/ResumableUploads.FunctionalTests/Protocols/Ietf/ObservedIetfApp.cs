using ResumableUploads.Abstractions;
using ResumableUploads.FunctionalTests.Connections;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.Ietf;

/// <summary>An app whose store reports what it has stored, with a client that sends uploads of the IETF draft over plain sockets.</summary>
internal sealed class ObservedIetfApp : IAsyncDisposable
{
    private ObservedIetfApp(IetfApp app, WatchedStore store) => (App, Store) = (app, store);

    public IetfApp App { get; }

    public WatchedStore Store { get; }

    private string Place { get; init; } = "";

    public HttpClient Client => App.Client;

    public static async Task<ObservedIetfApp> StartAsync(string place, Action<ResumableUploadOptions>? configure = null, string wire = IetfApp.Http1, TimeProvider? time = null)
    {
        var setup = new WatchedStoreSetup(configure, time);
        IetfApp app = await IetfApp.StartAsync(place, wire, setup.Configure, services: setup.AddClock);
        return new ObservedIetfApp(app, setup.Store) { Place = place };
    }

    /// <summary>Starts a request: a creation if the URL is null, otherwise an append. Uses the chunked transfer coding if the length is null.</summary>
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

    /// <summary>Creates an upload and sends the first bytes of an append that then stalls. Returns when they are stored.</summary>
    public async Task<(string Url, RawConnection Stalled)> StallAsync(byte[] file, int held, bool isChunked = false)
    {
        string url = await Client.BeginAsync();
        RawConnection stalled = await BeginAsync(url, 0, isChunked ? null : file.Length, isLast: true, version: null);
        await (isChunked ? stalled.SendChunkAsync(file.AsMemory(0, held)) : stalled.SendAsync(file.AsMemory(0, held)));
        await WaitingAsync(url, held);
        return (url, stalled);
    }

    /// <summary>Waits until the server has stored the bytes up to an offset and reads on.</summary>
    public Task WaitingAsync(string url, long offset) => Store.WaitingAsync(KeyOf(url), offset);

    /// <summary>Returns the number of running appends to an upload.</summary>
    public int RunningOf(string url) => Store.SightOf(KeyOf(url)).Running;

    public ValueTask DisposeAsync() => App.DisposeAsync();

    private UploadKey KeyOf(string url) => UploadKeyFactory.FromIetfId("anonymous", UploadScopes.OfTusApp(Place), url[^40..]);
}
