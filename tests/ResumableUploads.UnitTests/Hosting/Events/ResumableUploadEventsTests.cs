using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Hosting.Startup;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Events;

public class ResumableUploadEventsTests
{
    private readonly Calls _calls = new();

    [Fact]
    public async Task Events_classes_run_in_order_before_the_delegate()
    {
        await using TestApp app = await StartAsync(
            static uploads => uploads.AddEvents<First>().AddEvents<Second>(),
            options =>
            {
                options.OnCreating = (_, _) => _calls.AddAsync("delegate creating");
                options.OnCompleted = (_, _) => _calls.AddAsync("delegate completed");
            });
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new byte[3], 3);

        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal(
            ["first creating", "second creating", "delegate creating", "first completed", "second completed", "delegate completed"],
            _calls.Where(static call => !call.Contains("progress", StringComparison.Ordinal)));
        Assert.Contains("first progress 3", _calls);
    }

    [Fact]
    public async Task Rejection_by_events_class_skips_later_handlers()
    {
        await using TestApp app = await StartAsync(static uploads => uploads.AddEvents<Rejecting>().AddEvents<Second>(), options => options.OnCreating = (_, _) => _calls.AddAsync("delegate"));
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new byte[3], 3);
        Assert.Equal((422, 0), ((int)response.StatusCode, _calls.Count));
    }

    [Fact]
    public async Task OnCompleted_delegate_gets_the_response_of_the_events_class()
    {
        UploadResponse? seen = null;
        await using TestApp app = await StartAsync(static uploads => uploads.AddEvents<Responding>(), options => options.OnCompleted = (upload, _) =>
        {
            seen = upload.Response;
            return Task.CompletedTask;
        });
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new byte[3], 3);
        Assert.Equal((201, "from the class"), ((int)response.StatusCode, await response.Content.ReadAsStringAsync()));
        Assert.NotNull(seen);
    }

    [Fact]
    public async Task Failed_delegate_runs_the_events_class_again()
    {
        int runs = 0;
        await using TestApp app = await StartAsync(static uploads => uploads.AddEvents<First>(), options => options.OnCompleted = (_, _) =>
            ++runs == 1 ? throw new InvalidOperationException("The first attempt fails.") : Task.CompletedTask);
        using HttpResponseMessage failed = await app.Client.AppendAsync("f", 0, new byte[3], 3);
        using HttpResponseMessage again = await app.Client.AppendAsync("f", 3, [], 3);
        Assert.Equal((503, 200), ((int)failed.StatusCode, (int)again.StatusCode));
        Assert.Equal(2, _calls.Count(static call => call == "first completed"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Events_class_without_OnCompletedAsync_is_not_a_completion_handler(bool overrides)
    {
        await using TestApp app = await StartAsync(uploads => _ = overrides ? uploads.AddEvents<First>() : uploads.AddEvents<Rejecting>());
        Assert.Equal(overrides, !app.Log.Lines.Any(static line => line.Contains("[301]", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Events_class_is_resolved_from_the_request_scope()
    {
        await using TestApp app = await StartAsync(
            static uploads => uploads.AddEvents<Scoped>(),
            before: app => app.Use(next => context =>
            {
                context.RequestServices.GetRequiredService<Scope>().Name = context.Request.Headers["X-Name"]!;
                return next(context);
            }),
            services: static services => services.AddScoped<Scope>());
        foreach (string name in (string[])["a", "b"])
        {
            using HttpResponseMessage response = await app.Client.AppendAsync(name, 0, new byte[3], 3, ("X-Name", name));
            Assert.Equal(200, (int)response.StatusCode);
        }

        Assert.Equal(["a creating", "b creating"], _calls.Where(static call => call.EndsWith("creating", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Endpoint_calls_events_class_except_for_completion()
    {
        await using TestApp app = await StartAsync(
            static uploads => uploads.AddEvents<First>(),
            after: app => app.MapPost("/endpoint", () => _calls.AddAsync("endpoint")).WithResumableUploads());
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new ByteArrayContent(new byte[3]), 3, "/endpoint");
        Assert.Equal(["first creating", "endpoint"], _calls.Where(static call => !call.Contains("progress", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Background_work_does_not_run_events_class_for_endpoint_upload(bool concatenated)
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        int runs = 0;
        await using TestApp app = await StartAsync(
            static uploads => uploads.AddEvents<First>(),
            static options => options.Timeouts.CompletedRetention = TimeSpan.FromDays(1),
            after: app => app.MapPost("/endpoint", () => ++runs == 1 ? Results.StatusCode(503) : Results.Ok("endpoint")).WithResumableUploads(),
            services: services => services.AddSingleton<TimeProvider>(time));
        string url = concatenated ? await ConcatenateAsync(app) : await app.Client.CreateAsync("/endpoint", 3);
        if (!concatenated)
        {
            using HttpResponseMessage failed = await app.Client.AppendChunkAsync(url, 0, new byte[3]);
            Assert.Equal(503, (int)failed.StatusCode);
        }

        IUploadManager manager = app.Services.GetRequiredService<IUploadManager>();
        UploadSweeper sweeper = Assert.Single(app.Services.GetRequiredService<SharedUploadServices>().RunningSweepers);
        for (int i = 0; i < 3; i++)
        {
            DateTimeOffset? last = sweeper.Status.LastSucceeded;
            await Eventually.TrueAsync(() => sweeper.Status.LastSucceeded > last, "the store was swept", () => time.Advance(TimeSpan.FromMinutes(1)));
        }

        UploadKey key = Assert.Single(await ReceivedAsync(app));
        Assert.Equal(UploadActionStatus.Succeeded, await manager.RetryAsync(key));
        Assert.DoesNotContain("first completed", _calls);
        Assert.Equal(1, runs);

        Assert.Equal((3, 2), (await app.Client.OffsetAsync(url), runs));
        Assert.DoesNotContain("first completed", _calls);
    }

    [Fact]
    public async Task Expiration_and_dead_lettering_call_the_events_class()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await using TestApp app = await StartAsync(
            static uploads => uploads.AddEvents<First>().AddEvents<Failing>(),
            static options => (options.Handler.MaxAttempts, options.Timeouts.IdleTimeout) = (1, TimeSpan.FromDays(40)),
            services: services => services.AddSingleton<TimeProvider>(time));
        using HttpResponseMessage failed = await app.Client.AppendAsync("done", 0, new byte[3], 3);
        using HttpResponseMessage half = await app.Client.AppendAsync("half", 0, [1], 3);
        await Eventually.TrueAsync(() => _calls.Contains("first dead-lettered"), "the upload was dead-lettered");

        // The sweep at start may still be running, and the next one starts only when the clock advances after that.
        time.Advance(TimeSpan.FromDays(8));
        await Eventually.TrueAsync(() => _calls.Contains("first expired"), "the upload expired", () => time.Advance(TimeSpan.FromHours(1)));
    }

    /// <summary>Creates an upload of two parts, and returns its URL.</summary>
    private static async Task<string> ConcatenateAsync(TestApp app)
    {
        string one = await app.Client.CreateAsync("/endpoint", 1, ("Upload-Concat", "partial"));
        string two = await app.Client.CreateAsync("/endpoint", 2, ("Upload-Concat", "partial"));
        using HttpResponseMessage first = await app.Client.AppendChunkAsync(one, 0, new byte[1]);
        using HttpResponseMessage second = await app.Client.AppendChunkAsync(two, 0, new byte[2]);
        using HttpResponseMessage final = await app.Client.TusAsync("POST", "/endpoint", null, ("Upload-Concat", $"final;{one} {two}"));
        Assert.Equal(503, (int)final.StatusCode);
        return final.Header("Location")!;
    }

    private static async Task<UploadKey[]> ReceivedAsync(TestApp app)
    {
        var keys = new List<UploadKey>();
        IUploadStore store = app.Services.GetRequiredService<IOptions<ResumableUploadOptions>>().Value.Store!;
        await foreach (UploadInfo info in store.ListAsync(new UploadQuery(), CancellationToken.None))
        {
            if (info.State == UploadState.Received)
            {
                keys.Add(info.Key);
            }
        }

        return [.. keys];
    }

    private Task<TestApp> StartAsync(
        Action<IResumableUploadsBuilder> events,
        Action<ResumableUploadOptions>? configure = null,
        Action<WebApplication>? before = null,
        Action<WebApplication>? after = null,
        Action<IServiceCollection>? services = null) => TestApp.StartAsync(
            services: builder =>
            {
                builder.Services.AddSingleton(_calls);
                services?.Invoke(builder.Services);
                events(builder.Services.AddResumableUploads(options => configure?.Invoke(options)).UseMemoryStore());
            },
            before: app =>
            {
                before?.Invoke(app);
                app.UseResumableUploads();
            },
            after: after,
            useUploads: false,
            onTestHost: true);

    internal sealed class Calls : ConcurrentQueue<string>
    {
        public Task AddAsync(string call)
        {
            Enqueue(call);
            return Task.CompletedTask;
        }
    }

    internal sealed class Scope
    {
        public string Name { get; set; } = "";
    }

    internal abstract class Recording(Calls calls, string name) : ResumableUploadEvents
    {
        public override Task OnCreatingAsync(UploadCreating upload, CancellationToken cancellationToken) => calls.AddAsync($"{name} creating");

        public override Task OnProgressAsync(UploadProgress upload, CancellationToken cancellationToken) => calls.AddAsync($"{name} progress {upload.Offset}");

        public override Task OnCompletedAsync(CompletedUpload upload, CancellationToken cancellationToken) => calls.AddAsync($"{name} completed");

        public override Task OnDeadLetteredAsync(UploadDeadLettered upload, CancellationToken cancellationToken) => calls.AddAsync($"{name} dead-lettered");

        public override Task OnExpiredAsync(UploadExpired upload, CancellationToken cancellationToken) => calls.AddAsync($"{name} expired");
    }

    internal sealed class First(Calls calls) : Recording(calls, "first");

    internal sealed class Second(Calls calls) : Recording(calls, "second");

    internal sealed class Rejecting : ResumableUploadEvents
    {
        public override Task OnCreatingAsync(UploadCreating upload, CancellationToken cancellationToken)
        {
            upload.Reject(422, "Rejected by the class.");
            return Task.CompletedTask;
        }
    }

    internal sealed class Responding : ResumableUploadEvents
    {
        public override Task OnCompletedAsync(CompletedUpload upload, CancellationToken cancellationToken)
        {
            upload.Response = UploadResponse.Text("from the class", 201);
            return Task.CompletedTask;
        }
    }

    internal sealed class Failing : ResumableUploadEvents
    {
        public override Task OnCompletedAsync(CompletedUpload upload, CancellationToken cancellationToken) => throw new InvalidOperationException("This handler fails.");
    }

    internal sealed class Scoped(Calls calls, Scope scope) : ResumableUploadEvents
    {
        public override Task OnCreatingAsync(UploadCreating upload, CancellationToken cancellationToken) => calls.AddAsync($"{scope.Name} creating");
    }
}
