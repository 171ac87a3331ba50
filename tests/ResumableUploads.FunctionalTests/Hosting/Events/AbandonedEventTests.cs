using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Events;

/// <summary>
/// An event that ignores its token keeps its request: the server does not reuse the request for another client, and does not dispose its services, before
/// the event has ended.
/// </summary>
public class AbandonedEventTests
{
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<string> _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Probe? _probe;

    [Fact]
    public async Task Event_does_not_see_the_next_request_of_its_connection()
    {
        await using TestApp app = await StartAsync(Server.Http1, options => options.OnCreating = async (upload, _) =>
        {
            await HoldAsync();
            See(upload.HttpContext);
        });
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", "X-Start-Byte: 0", "X-File-Size: 1", "Content-Length: 1", "X-User: ann");
        await connection.SendAsync("a");
        RawResponse? response = await GetAbandonedAsync(connection.ReadResponseAsync());
        Assert.Equal((503, "close"), (response?.Status, response?.Header("Connection")));

        await connection.SendHeadAsync("GET /other", "X-User: bob");
        _release.SetResult();
        Assert.Equal("/upload ann", await Eventually.WithinAsync(_seen.Task));
        Assert.Null(await connection.ReadResponseAsync());
    }

    [Fact]
    public async Task Event_does_not_see_the_next_request_of_its_http2_connection()
    {
        await using TestApp app = await StartAsync(Server.Http2, options => options.OnCreating = async (upload, _) =>
        {
            await HoldAsync();
            See(upload.HttpContext);
        });
        using HttpResponseMessage response = await GetAbandonedAsync(app.Client.AppendAsync("f", 0, new byte[100_000], 100_000, ("X-User", "ann")));
        Assert.Equal(503, (int)response.StatusCode);
        Assert.Contains("\"type\"", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        // It runs on the same connection, and releases the event.
        Assert.Equal("/upload ann", await app.Client.GetStringAsync("/other"));
    }

    [Theory]
    [InlineData(Server.Http1)]
    [InlineData(Server.Http2)]
    public async Task Services_of_the_request_are_disposed_after_the_event(Server server)
    {
        await using TestApp app = await StartAsync(server, HoldProgress);
        using HttpResponseMessage response = await GetAbandonedAsync(app.Client.AppendAsync("f", 0, new byte[10], 20));
        Assert.Equal((200, "10"), ((int)response.StatusCode, await response.Content.ReadAsStringAsync()));

        // The upload is not locked.
        Assert.Equal(10, await app.Client.StatusAsync("f", "/upload"));
        _release.SetResult();
        Assert.Equal("usable", await Eventually.WithinAsync(_seen.Task));
        await Eventually.TrueAsync(() => _probe!.IsDisposed, "the services are disposed");
    }

    [Fact]
    public async Task Request_ends_when_the_server_stops()
    {
        await using TestApp app = await StartAsync(Server.Http1, HoldProgress);
        using HttpResponseMessage response = await GetAbandonedAsync(app.Client.AppendAsync("f", 0, new byte[10], 20));
        Assert.False(_probe!.IsDisposed);
        app.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        await Eventually.TrueAsync(() => _probe.IsDisposed, "the request has ended");
        _release.SetResult();
    }

    private Task<TestApp> StartAsync(Server server, Action<ResumableUploadOptions> configure) => server.StartAsync(
        app =>
        {
            app.MapPost("/upload", static () => "").WithResumableUploads();
            app.MapGet("/other", () =>
            {
                _release.TrySetResult();
                return _seen.Task;
            });
        },
        builder => builder.Services.AddSingleton<TimeProvider>(_time).AddScoped<Probe>(),
        configure);

    private void HoldProgress(ResumableUploadOptions options) => options.OnProgress = async (upload, _) =>
    {
        _probe = upload.Services.GetRequiredService<Probe>();
        await HoldAsync();
        _seen.TrySetResult(_probe.IsDisposed ? "disposed" : "usable");
    };

    private async Task HoldAsync()
    {
        _entered.TrySetResult();
        await _release.Task;
    }

    private void See(HttpContext context)
    {
        try
        {
            _seen.TrySetResult($"{context.Request.Path} {context.Request.Headers["X-User"]}");
        }
        catch (Exception e)
        {
            _seen.TrySetException(e);
        }
    }

    /// <summary>Advances the clock until the event was abandoned and the response has arrived.</summary>
    private async Task<T> GetAbandonedAsync<T>(Task<T> response)
    {
        await Eventually.WithinAsync(_entered.Task);
        await Eventually.TrueAsync(() => response.IsCompleted, "the server has responded", () => _time.Advance(TimeSpan.FromSeconds(5)));
        return await response;
    }

    private sealed class Probe : IDisposable
    {
        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }
}
