using ResumableUploads.Abstractions;
using ResumableUploads.FunctionalTests.Connections;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.Tus;

/// <summary>An app on Kestrel whose store reports what it has stored, with a client that sends tus uploads over plain sockets.</summary>
internal sealed class ObservedTusApp : IAsyncDisposable
{
    private ObservedTusApp(TusApp app, WatchedStore store) => (App, Store) = (app, store);

    public TusApp App { get; }

    public WatchedStore Store { get; }

    private string Place { get; init; } = "";

    public HttpClient Client => App.Client;

    public static async Task<ObservedTusApp> StartAsync(string place, Action<ResumableUploadOptions>? configure = null, TimeProvider? time = null)
    {
        var setup = new WatchedStoreSetup(configure, time);
        TusApp app = await TusApp.StartAsync(place, setup.Configure, services: setup.AddClock, onKestrel: true);
        return new ObservedTusApp(app, setup.Store) { Place = place };
    }

    public UploadKey KeyOf(string url) => UploadKeyFactory.FromTusId("anonymous", UploadScopes.OfTusApp(Place), url[^40..]);

    /// <summary>Starts an append. Uses the chunked transfer coding if the length is null.</summary>
    public async Task<RawConnection> BeginAsync(string url, long offset, long? length = null, params string[] headers)
    {
        RawConnection connection = await RawConnection.OpenAsync(App.Address);
        await connection.SendHeadAsync(
            $"PATCH {url}",
            [
                "Tus-Resumable: 1.0.0",
                "Content-Type: application/offset+octet-stream",
                $"Upload-Offset: {offset}",
                length is null ? "Transfer-Encoding: chunked" : $"Content-Length: {length}",
                .. headers,
            ]);
        return connection;
    }

    /// <summary>Creates an upload and sends the first bytes of an append that then stalls. Returns when they are stored.</summary>
    public async Task<(string Url, RawConnection Stalled)> StallAsync(byte[] file, int held)
    {
        string url = await Client.CreateAsync(TusApp.Url, file.Length);
        RawConnection stalled = await BeginAsync(url, 0, file.Length);
        await stalled.SendAsync(file.AsMemory(0, held));
        await Store.WaitingAsync(KeyOf(url), held);
        return (url, stalled);
    }

    /// <summary>Returns the stored content of an upload.</summary>
    public async Task<byte[]> ContentAsync(string url)
    {
        await using Stream? stream = await Store.OpenReadAsync(KeyOf(url), CancellationToken.None);
        using var content = new MemoryStream();
        await stream!.CopyToAsync(content);
        return content.ToArray();
    }

    public ValueTask DisposeAsync() => App.DisposeAsync();
}
