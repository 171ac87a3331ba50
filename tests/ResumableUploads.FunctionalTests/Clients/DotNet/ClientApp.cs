using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads.Client;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Clients.DotNet;

/// <summary>A request with content as the server received it.</summary>
/// <param name="Method">The method.</param>
/// <param name="Length">The value of <c>Content-Length</c>.</param>
/// <param name="Run">The value of the header <c>X-Run</c>.</param>
internal sealed record ReceivedRequest(string Method, long Length, string Run);

/// <summary>A real server for the .NET client, which records the requests and can interfere with them.</summary>
internal sealed class ClientApp : IAsyncDisposable
{
    private const string RunHeader = "X-Run";
    private readonly string _directory = Directory.CreateTempSubdirectory("client-test-").FullName;

    private ClientApp()
    {
    }

    public static TheoryData<UploadProtocol> Protocols => [UploadProtocol.FileId, UploadProtocol.Tus, UploadProtocol.Ietf];

    public TestApp App { get; private set; } = null!;

    public Uri Endpoint => new(App.Address, "upload");

    /// <summary>Gets the directory of states and files. It is deleted with the app.</summary>
    public string Files => _directory;

    /// <summary>Gets the requests whose content is not empty.</summary>
    public ConcurrentQueue<ReceivedRequest> Requests { get; } = [];

    /// <summary>Gets the lengths of the requests of a run.</summary>
    public long[] LengthsOf(string run) => [.. Requests.Where(request => request.Run == run).Select(static request => request.Length)];

    /// <summary>Sets the run of an upload.</summary>
    public static void SetRun(UploadOptions options, string run) => options.Request.Headers[RunHeader] = run;

    /// <summary>Gets the total length of the content of all requests.</summary>
    public long ReceivedBytes => Requests.Sum(static request => request.Length);

    /// <param name="configure">Configures the server.</param>
    /// <param name="middleware">Runs before the upload middleware.</param>
    /// <param name="after">Adds endpoints.</param>
    /// <param name="http">The HTTP version.</param>
    public static async Task<ClientApp> StartAsync(
        Action<ResumableUploadOptions>? configure = null,
        Func<HttpContext, RequestDelegate, Task>? middleware = null,
        Action<WebApplication>? after = null,
        HttpProtocols http = HttpProtocols.Http1)
    {
        var app = new ClientApp();
        void Before(WebApplication web)
        {
            web.Use(async (HttpContext context, RequestDelegate next) =>
            {
                if (context.Request.ContentLength is > 0 and var length)
                {
                    app.Requests.Enqueue(new ReceivedRequest(context.Request.Method, length, context.Request.Headers[RunHeader].ToString()));
                }

                await (middleware is null ? next(context) : middleware(context, next));
            });
        }

        app.App = after is null
            ? await TestApp.StartAsync(configure, before: Before, protocols: http)
            : await EndpointApp.StartAsync(
                web =>
                {
                    Before(web);
                    after(web);
                },
                configure,
                protocols: http);
        return app;
    }

    public static byte[] RandomBytes(int length) => RandomNumberGenerator.GetBytes(length);

    /// <summary>Returns options with short delays.</summary>
    public static UploadOptions Options(UploadProtocol protocol, Action<UploadOptions>? configure = null)
    {
        var options = new UploadOptions { Protocol = protocol, Retry = { InitialDelay = TimeSpan.FromMilliseconds(10), MaxDelay = TimeSpan.FromMilliseconds(100) } };
        configure?.Invoke(options);
        return options;
    }

    public ResumableUploadClient CreateClient(HttpMessageHandler? handler = null, ResumableUploadClientOptions? options = null) =>
        new(handler is null ? App.Client : new HttpClient(handler) { BaseAddress = App.Address }, options);

    public ResumableUploadClientOptions WithStateStore() => new() { StateStore = new FileUploadStateStore(Path.Combine(_directory, "state")), TimeProvider = new TickingTimeProvider() };

    public string CreateFile(byte[] content, string name = "file.bin")
    {
        string path = Path.Combine(_directory, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    /// <summary>Asserts that the app has received exactly one upload, with this content.</summary>
    public void AssertReceived(byte[] content)
    {
        FinishedUpload finished = Assert.Single(App.Finished);
        Assert.Equal(content.Length, finished.Content.Length);
        Assert.Equal(SHA256.HashData(content), SHA256.HashData(finished.Content));
    }

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}
