using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Caching;

/// <summary>Output caching of the app, at each place of the pipeline, neither answers upload requests nor makes them wait for each other.</summary>
public class OutputCacheTests
{
    private const string BeforeRouting = "before routing";
    private const string BeforeUploads = "before uploads";
    private const string AfterUploads = "after uploads";

    /// <summary>A policy of the app that applies to all requests.</summary>
    private const string Base = "base";

    /// <summary>A policy of an endpoint: that of the app, the mapped one, or a fallback endpoint behind the middleware.</summary>
    private const string OfEndpoint = "endpoint";

    /// <summary>The same as an attribute.</summary>
    private const string Attribute = "attribute";

    public static TheoryData<string, string, string> Places()
    {
        var rows = new TheoryData<string, string, string>();
        foreach (string path in (string[])["/upload", "/mapped", "/endpoint"])
        {
            foreach (string place in (string[])[BeforeRouting, BeforeUploads, AfterUploads])
            {
                foreach (string policy in (string[])[Base, OfEndpoint, Attribute])
                {
                    rows.Add(path, place, policy);
                }
            }
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Status_is_that_of_the_upload_and_current(string path, string place, string policy)
    {
        await using TestApp app = await StartAsync(place, policy);
        foreach (string protocol in (string[])[ProtocolClient.FileId, ProtocolClient.Tus, ProtocolClient.Ietf])
        {
            string url = await app.Client.BeginAsync(protocol, path, new byte[3], 9);
            Assert.Equal((protocol, "3"), (protocol, (await app.Client.GetOffsetAsync(protocol, url)).Offset));
            using HttpResponseMessage more = await SendMoreAsync(app, protocol, url);
            Assert.Equal((protocol, "5"), (protocol, (await app.Client.GetOffsetAsync(protocol, url)).Offset));
        }

        string statusPath = path == "/upload" ? "/status" : path;
        Assert.Equal(5, await app.Client.StatusAsync("f", statusPath));
        Assert.Equal(0, await app.Client.StatusAsync("other", statusPath));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Plain_response_at_the_same_URL_does_not_answer_upload_requests(string path, string place, string policy)
    {
        await using TestApp app = await StartAsync(place, policy);
        using HttpResponseMessage plain = await app.Client.GetAsync(path == "/upload" ? "/status" : path);
        using HttpResponseMessage first = await app.Client.SendFileIdAsync("POST", path, [1, 2], ("X-File-Size", "9"));
        Assert.Equal(2, await app.Client.StatusAsync("f", path == "/upload" ? "/status" : path));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Concurrent_requests_do_not_wait_for_each_other(string path, string place, string policy)
    {
        var gate = new Gate();
        await using TestApp app = await StartAsync(place, policy, gate);
        Task<HttpResponseMessage> waiting = app.Client.SendFileIdAsync("POST", path, [1], ("X-File-Size", "1"), ("X-Wait", "true"));
        await Eventually.WithinAsync(gate.Entered.Task);

        // The same method and URL, and another upload.
        using HttpResponseMessage other = await Eventually.WithinAsync(app.Client.AppendAsync("other", 0, new ByteArrayContent([1]), 1, path));
        Assert.Equal(200, (int)other.StatusCode);
        gate.Open.SetResult();
        using HttpResponseMessage response = await Eventually.WithinAsync(waiting);
        Assert.Equal((200, 2), ((int)response.StatusCode, gate.Runs));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Followers_do_not_wait_for_each_other(string path, string place, string policy)
    {
        await using TestApp app = await StartAsync(place, policy);
        await app.Client.BeginAsync(ProtocolClient.FileId, path, new byte[3], 9);
        using HttpResponseMessage first = await Eventually.WithinAsync(FollowAsync());
        using HttpResponseMessage second = await Eventually.WithinAsync(FollowAsync());
        Assert.Equal(("text/event-stream", "text/event-stream"), (first.Content.Headers.ContentType?.MediaType, second.Content.Headers.ContentType?.MediaType));

        async Task<HttpResponseMessage> FollowAsync()
        {
            // EventSource cannot send the header.
            using var request = new HttpRequestMessage(HttpMethod.Get, path == "/endpoint" ? path : path + "?file-id=f") { Headers = { { "Accept", "text/event-stream" } } };
            if (path == "/endpoint")
            {
                request.Headers.Add("X-File-Id", "f");
            }

            return await app.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        }
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Download_is_that_of_the_upload(string path, string place, string policy)
    {
        await using TestApp app = await StartAsync(place, policy);
        string url = await app.Client.CreateAsync(path, 1);
        using HttpResponseMessage missing = await app.Client.GetAsync(url);
        using HttpResponseMessage last = await app.Client.AppendChunkAsync(url, 0, [1]);
        using HttpResponseMessage download = await app.Client.GetAsync(url);
        using HttpResponseMessage canceled = await app.Client.TusAsync("DELETE", url);
        using HttpResponseMessage gone = await app.Client.GetAsync(url);

        Assert.NotEqual(200, (int)missing.StatusCode);
        Assert.Equal([1], await download.Content.ReadAsByteArrayAsync());
        Assert.Equal((204, 404), ((int)canceled.StatusCode, (int)gone.StatusCode));
    }

    [Theory]
    [InlineData(Base)]
    [InlineData(OfEndpoint)]
    [InlineData(Attribute)]
    public async Task Plain_requests_are_cached_as_before(string policy)
    {
        await using TestApp app = await StartAsync(BeforeUploads, policy);
        string first = await app.Client.GetStringAsync(new Uri("/endpoint", UriKind.Relative));
        Assert.Equal(first, await app.Client.GetStringAsync(new Uri("/endpoint", UriKind.Relative)));
        Assert.NotEqual(first, await app.Client.GetStringAsync(new Uri("/endpoint?other", UriKind.Relative)));
    }

    private static Task<HttpResponseMessage> SendMoreAsync(TestApp app, string protocol, string url) => protocol switch
    {
        ProtocolClient.FileId => app.Client.SendFileIdAsync("POST", url, [1, 2], ("X-Start-Byte", "3"), ("X-File-Size", "9")),
        ProtocolClient.Tus => app.Client.AppendChunkAsync(url, 3, [1, 2]),
        _ => app.Client.AppendAsync(url, 3, isLast: false, [1, 2]),
    };

    private static Task<TestApp> StartAsync(string place, string policy, Gate? gate = null)
    {
        int responses = 0;
        gate ??= new Gate();
        return EndpointApp.StartAsync(
            app =>
            {
                Use(BeforeRouting);
                app.UseRouting();
                Use(BeforeUploads);
                app.UseResumableUploads();
                app.UseResumableUploadEndpoints();
                Use(AfterUploads);
                Cache(app.MapResumableUploads("/mapped"));
                Cache(app.MapPost("/endpoint", gate.EnterAsync).WithResumableUploads());
                Cache(app.MapGet("/endpoint", () => Interlocked.Increment(ref responses).ToString(CultureInfo.InvariantCulture)));
                Cache(app.MapFallback(() => "fallback"));

                void Use(string here) => _ = here == place ? app.UseOutputCache() : app;
            },
            options =>
            {
                options.AllowDownload = true;
                options.ProgressEvents = true;
                options.OnCompleted = (_, _) => gate.EnterAsync(gate.Requests.HttpContext!);
            },
            builder =>
            {
                builder.Services.AddHttpContextAccessor();
                builder.Services.AddOutputCache(options =>
                {
                    if (policy == Base)
                    {
                        options.AddBasePolicy(CacheEverything.Instance);
                    }
                });
            },
            onTestHost: true);

        void Cache<T>(T endpoint) where T : IEndpointConventionBuilder => _ = policy switch
        {
            OfEndpoint => endpoint.CacheOutput(CacheEverything.Instance),
            Attribute => endpoint.WithMetadata(new OutputCacheAttribute()),
            _ => endpoint,
        };
    }

    /// <summary>Holds the completion handler of a request that asks for it.</summary>
    private sealed class Gate
    {
        private int _runs;

        public int Runs => _runs;

        public HttpContextAccessor Requests { get; } = new();

        public TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Open { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task EnterAsync(HttpContext context)
        {
            Interlocked.Increment(ref _runs);
            if (context.Request.Headers.ContainsKey("X-Wait"))
            {
                Entered.SetResult();
                await Open.Task;
            }
        }
    }

    /// <summary>A policy that caches every response of any method, and lets requests for the same URL wait for the first response.</summary>
    private sealed class CacheEverything : IOutputCachePolicy
    {
        public static readonly CacheEverything Instance = new();

        public ValueTask CacheRequestAsync(OutputCacheContext context, CancellationToken cancellation)
        {
            (context.EnableOutputCaching, context.AllowCacheLookup, context.AllowCacheStorage, context.AllowLocking) = (true, true, true, true);
            context.CacheVaryByRules.QueryKeys = "*";
            return ValueTask.CompletedTask;
        }

        public ValueTask ServeFromCacheAsync(OutputCacheContext context, CancellationToken cancellation) => ValueTask.CompletedTask;

        public ValueTask ServeResponseAsync(OutputCacheContext context, CancellationToken cancellation) => ValueTask.CompletedTask;
    }
}
