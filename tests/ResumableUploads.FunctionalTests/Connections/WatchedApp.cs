using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads.Abstractions;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>An app on Kestrel with a file-system store whose progress the test can observe.</summary>
internal sealed class WatchedApp : IAsyncDisposable
{
    private readonly TestApp _app;

    private WatchedApp(TestApp app, WatchedStore store)
    {
        _app = app;
        Store = store;
    }

    public WatchedStore Store { get; }

    public Uri Address => _app.Address;

    /// <summary>Gets a client with separate connections in the HTTP version of the server.</summary>
    public HttpClient Client => _app.Client;

    public TestApp App => _app;

    public static async Task<WatchedApp> StartAsync(
        Wire wire = Wire.Chunked,
        Action<ResumableUploadOptions>? configure = null,
        Durability durability = Durability.ProcessCrash,
        TimeProvider? time = null,
        Action<WebApplication>? before = null)
    {
        var setup = new WatchedStoreSetup(
            options =>
            {
                options.FileSystem.Durability = durability;
                configure?.Invoke(options);
            },
            time);
        TestApp app = await TestApp.StartAsync(
            setup.Configure,
            services: setup.AddClock,
            before: before,
            protocols: wire == Wire.Http2 ? HttpProtocols.Http2 : HttpProtocols.Http1);
        if (wire == Wire.Http2)
        {
            app.Client.DefaultRequestVersion = HttpVersion.Version20;
            app.Client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        }

        return new WatchedApp(app, setup.Store);
    }

    public Task<LiveUpload> BeginAsync(Wire wire, string fileId, long startByte, long bodyLength, long? fileSize = null) =>
        LiveUpload.BeginAsync(wire, Address, fileId, startByte, bodyLength, fileSize);

    /// <summary>Reads the stored bytes of an unfinished upload.</summary>
    public async Task<byte[]> ContentAsync(string fileId)
    {
        Stream? stream = await Store.OpenReadAsync(WatchedStore.KeyOf(fileId), CancellationToken.None);
        Assert.NotNull(stream);
        await using (stream)
        {
            using var content = new MemoryStream();
            await stream.CopyToAsync(content);
            return content.ToArray();
        }
    }

    /// <summary>Sends the rest of a file, and asserts that the handler received the file once.</summary>
    public async Task FinishAsync(string fileId, long startByte, byte[] file)
    {
        using HttpResponseMessage last = await Client.AppendAsync(fileId, startByte, file[(int)startByte..], file.Length);
        Assert.True(last.IsSuccessStatusCode, $"{last.StatusCode} {await last.Content.ReadAsStringAsync()}");
        Assert.Equal("true", last.Header("X-Upload-Complete"));
        AssertFinished(file);
    }

    /// <summary>Asserts that exactly one upload was completed and that its content is the given file.</summary>
    public void AssertFinished(byte[] file)
    {
        FinishedUpload finished = Assert.Single(_app.Finished);
        Assert.Equal(Convert.ToHexString(SHA256.HashData(file)), Convert.ToHexString(SHA256.HashData(finished.Content)));
    }

    /// <summary>Stops the app and writes its logged errors to the test output.</summary>
    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        foreach (string line in _app.Log.Lines.Where(static line => line.StartsWith("Error", StringComparison.Ordinal)))
        {
            TestContext.Current.TestOutputHelper?.WriteLine(line);
        }
    }
}
