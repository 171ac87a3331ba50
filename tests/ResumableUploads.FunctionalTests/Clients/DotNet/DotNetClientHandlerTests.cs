using System.Net;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Client;

namespace ResumableUploads.FunctionalTests.Clients.DotNet;

/// <summary>The client with a factory and with handlers of the app.</summary>
public class DotNetClientHandlerTests
{
    private const int Size = 3_000_000;

    public static TheoryData<UploadProtocol> Protocols => ClientApp.Protocols;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Client_is_a_typed_client_of_a_factory(bool hasOptions)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        var services = new ServiceCollection();
        services.AddHttpClient<ResumableUploadClient>(client => client.BaseAddress = app.App.Address);
        if (hasOptions)
        {
            services.AddSingleton(app.WithStateStore());
        }

        await using ServiceProvider provider = services.BuildServiceProvider();
        byte[] content = ClientApp.RandomBytes(1000);
        string path = app.CreateFile(content);
        var options = ClientApp.Options(UploadProtocol.Tus);
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => provider.GetRequiredService<ResumableUploadClient>().UploadAsync(
            new Uri("upload", UriKind.Relative), path, options, new InlineProgress(_ => stop.Cancel()), stop.Token));
        Assert.Equal(hasOptions, await provider.GetRequiredService<ResumableUploadClient>().FindUploadAsync(new Uri("upload", UriKind.Relative), path, options, TestContext.Current.CancellationToken) is not null);
        await provider.GetRequiredService<ResumableUploadClient>().UploadAsync(new Uri("upload", UriKind.Relative), path, options, null, TestContext.Current.CancellationToken);
        app.AssertReceived(content);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Handler_that_sends_requests_again_does_no_harm(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        int cuts = 4;
        await using var line = new PlannedLine(app.App.Address, 800_000, () => cuts-- > 0 ? LineFault.Cut : LineFault.None);
        using var handler = new RetryingHandler(attempts: 3);
        using var httpClient = new HttpClient(handler) { BaseAddress = line.Address };
        foreach (bool isStream in new[] { false, true })
        {
            byte[] content = ClientApp.RandomBytes(Size);
            await using Stream stream = isStream ? new PipeStream(content) : new MemoryStream(content);
            cuts = 4;
            app.App.Finished.Clear();
            await new ResumableUploadClient(httpClient).UploadAsync(
                new Uri("upload", UriKind.Relative), stream, ClientApp.Options(protocol, static options => options.Digest = UploadDigest.Sha256), null, TestContext.Current.CancellationToken);
            app.AssertReceived(content);
        }

        Assert.True(handler.Repeated >= 2);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Handler_that_sends_requests_twice_at_once_does_no_harm(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        using var handler = new HedgingHandler();
        using var httpClient = new HttpClient(handler) { BaseAddress = app.App.Address };
        byte[] content = ClientApp.RandomBytes(Size);
        using var stream = new MemoryStream(content);
        await new ResumableUploadClient(httpClient).UploadAsync(
            new Uri("upload", UriKind.Relative), stream, ClientApp.Options(protocol, static options => (options.Digest, options.Retry.MaxRetries) = (UploadDigest.Sha256, 100)), null, TestContext.Current.CancellationToken);
        app.AssertReceived(content);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Timeout_of_HttpClient_is_an_interruption(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        int stalls = 1;
        await using var line = new PlannedLine(app.App.Address, 800_000, () => stalls-- > 0 ? LineFault.Stall : LineFault.None);
        using var httpClient = new HttpClient { BaseAddress = line.Address, Timeout = TimeSpan.FromSeconds(10) };
        byte[] content = ClientApp.RandomBytes(32_000_000);
        using var stream = new MemoryStream(content);
        var retries = new List<UploadRetry>();
        await new ResumableUploadClient(httpClient).UploadAsync(
            new Uri("upload", UriKind.Relative), stream, ClientApp.Options(protocol, options => options.Retry.OnRetry = retries.Add), null, TestContext.Current.CancellationToken);
        app.AssertReceived(content);
        Assert.Contains(retries, static retry => retry.Exception is TaskCanceledException);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Token_is_refreshed_when_the_server_requires_it(UploadProtocol protocol)
    {
        int valid = 0;
        await using ClientApp app = await ClientApp.StartAsync(middleware: (context, next) =>
        {
            // Each token is valid for two requests.
            string expected = $"Bearer {valid / 2}";
            if (context.Request.Headers.Authorization == expected)
            {
                valid++;
                return next(context);
            }

            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        });
        int token = 0;
        byte[] content = ClientApp.RandomBytes(Size);
        using var stream = new MemoryStream(content);
        await app.CreateClient().UploadAsync(app.Endpoint, stream, ClientApp.Options(protocol, options =>
        {
            options.ChunkSize = 500_000;
            options.Request.Headers["X-App"] = "test";
            options.Request.BeforeRequest = (context, _) =>
            {
                token += context.IsUnauthorized ? 1 : 0;
                Assert.Equal(["test"], context.Request.Headers.GetValues("X-App"));
                context.Request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", $"{token}");
                return ValueTask.CompletedTask;
            };
        }), null, TestContext.Current.CancellationToken);
        app.AssertReceived(content);
        Assert.True(token >= 3);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Offset_is_taken_from_409(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        byte[] content = ClientApp.RandomBytes(Size);
        UploadOptions options = ClientApp.Options(protocol, static options => (options.Id, options.ChunkSize) = ("id", 1_000_000));
        using (var stop = new CancellationTokenSource())
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => app.CreateClient(options: app.WithStateStore()).UploadAsync(
                app.Endpoint, new PipeStream(content), options, new InlineProgress(report =>
                {
                    if (report.Offset > 2_000_000)
                    {
                        stop.Cancel();
                    }
                }), stop.Token));
        }

        // The only status reports 1,500,000 bytes, as a stale cache would. The append there gets 409 with the offset of the server.
        using var handler = new StaleStatusHandler(1_500_000);
        ResumableUploadClient client = app.CreateClient(options: app.WithStateStore());
        UploadReference reference = (await client.FindUploadAsync(app.Endpoint, "unused", options, TestContext.Current.CancellationToken))!;
        long offset = (await client.GetStatusAsync(reference, options, TestContext.Current.CancellationToken))!.Offset;
        UploadOptions second = ClientApp.Options(protocol, static options => options.Id = "id");
        ClientApp.SetRun(second, "second");
        await app.CreateClient(handler, app.WithStateStore()).UploadAsync(app.Endpoint, new PipeStream(content), second, null, TestContext.Current.CancellationToken);
        app.AssertReceived(content);
        Assert.Equal(1, handler.Statuses);
        Assert.Equal([1_500_000, Size - offset], app.LengthsOf("second"));
    }

    /// <summary>Sends a request again after an exception, like a resilience handler. The last exception is of a type that the client does not know.</summary>
    private sealed class RetryingHandler(int attempts) : DelegatingHandler(new SocketsHttpHandler())
    {
        public int Repeated { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            for (int attempt = 1; ; attempt++)
            {
                try
                {
                    return await base.SendAsync(request, cancellationToken);
                }
                catch (HttpRequestException e)
                {
                    if (attempt == attempts)
                    {
                        throw new TimeoutRejectedException(e);
                    }

                    Repeated++;
                }
            }
        }
    }

    private sealed class TimeoutRejectedException(Exception inner) : Exception("Rejected.", inner);

    /// <summary>Sends each request twice at the same time, and returns the first response.</summary>
    private sealed class HedgingHandler : DelegatingHandler
    {
        public HedgingHandler()
            : base(new SocketsHttpHandler())
        {
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            using var copy = new HttpRequestMessage(request.Method, request.RequestUri) { Content = request.Content };
            foreach ((string name, HeaderStringValues values) in request.Headers.NonValidated)
            {
                copy.Headers.TryAddWithoutValidation(name, values);
            }

            Task<HttpResponseMessage> first = base.SendAsync(request, cancellationToken);
            Task<HttpResponseMessage> second = base.SendAsync(copy, cancellationToken);
            Task<HttpResponseMessage> winner = await Task.WhenAny(first, second);
            Task<HttpResponseMessage> loser = winner == first ? second : first;
            try
            {
                (await loser).Dispose();
            }
            catch (HttpRequestException)
            {
                // Only one can win.
            }

            copy.Content = null;
            return await winner;
        }
    }

    /// <summary>Changes the offset in the response to the first status request.</summary>
    private sealed class StaleStatusHandler(long offset) : DelegatingHandler(new SocketsHttpHandler())
    {
        public int Statuses { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            HttpResponseMessage response = await base.SendAsync(request, cancellationToken);
            if ((request.Method == HttpMethod.Get || request.Method == HttpMethod.Head) && ++Statuses == 1 && response.StatusCode is HttpStatusCode.OK or HttpStatusCode.NoContent)
            {
                foreach (string name in new[] { "X-Start-Byte", "Upload-Offset" })
                {
                    if (response.Headers.Remove(name))
                    {
                        response.Headers.Add(name, $"{offset}");
                    }
                }
            }

            return response;
        }
    }
}
