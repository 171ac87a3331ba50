using System.Collections.Concurrent;
using Asp.Versioning;
using Asp.Versioning.Builder;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Hosting.Startup;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Startup;

/// <summary>After a deployment, the sweep of each engine handles the uploads of the same endpoints as before, and no others.</summary>
public sealed class EngineNameTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly MemoryUploadStore _store;
    private readonly ConcurrentQueue<string> _calls = new();
    private bool _isAvailable;

    public EngineNameTests() => _store = new MemoryUploadStore(timeProvider: _time);

    /// <summary>Gets how two endpoints that call themselves A and B differ.</summary>
    public static TheoryData<string> Differences => ["group", "host", "name", "options name"];

    public void Dispose() => _store.Dispose();

    [Theory]
    [MemberData(nameof(Differences))]
    public async Task Sweep_after_restart_in_other_order_runs_OnCompleted_of_the_endpoint(string difference)
    {
        string[] ids = ["A", "B"];
        await using (TestApp app = await StartAsync(difference, ids))
        {
            foreach (string id in ids)
            {
                using HttpResponseMessage failed = await app.Client.AppendAsync(id, 0, new ByteArrayContent([1]), 1, Url(difference, id), Headers(id));
                Assert.Equal(503, (int)failed.StatusCode);
            }
        }

        _isAvailable = true;
        _calls.Clear();
        _time.Advance(TimeSpan.FromMinutes(5));
        await using TestApp swapped = await StartAsync(difference, ["B", "A"]);
        await Eventually.TrueAsync(() => _calls.Count >= 2, "both uploads were completed");
        Assert.Equal(["A completes A", "B completes B"], _calls.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Differences))]
    public async Task Sweep_after_restart_in_other_order_runs_OnExpired_of_the_endpoint(string difference)
    {
        string[] ids = ["A", "B"];
        await using (TestApp app = await StartAsync(difference, ids))
        {
            foreach (string id in ids)
            {
                (await app.Client.AppendAsync(id, 0, new ByteArrayContent([1]), 2, Url(difference, id), Headers(id))).Dispose();
            }
        }

        _time.Advance(TimeSpan.FromDays(7));
        await using TestApp swapped = await StartAsync(difference, ["B", "A"]);
        await Eventually.TrueAsync(() => _calls.Count >= 2, "both uploads have expired");
        Assert.Equal(["A expires A", "B expires B"], _calls.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Sweep_after_restart_in_other_order_runs_OnExpired_of_own_options(bool isGroup)
    {
        string[] ids = ["A", "B"];
        await using (TestApp app = await StartOwnOptionsAsync(isGroup, ids))
        {
            foreach (string id in ids)
            {
                using HttpResponseMessage begun = await app.Client.AppendAsync(
                    id, 0, new ByteArrayContent([1]), 2, isGroup ? $"/group/{id}" : "/files", Headers(id));
                Assert.Equal(200, (int)begun.StatusCode);
            }
        }

        _time.Advance(TimeSpan.FromDays(7));
        await using TestApp swapped = await StartOwnOptionsAsync(isGroup, ["B", "A"]);
        await Eventually.TrueAsync(() => _calls.Count >= 2, "both uploads have expired");
        Assert.Equal(isGroup ? ["group expires A", "group expires B"] : ["A expires A", "B expires B"], _calls.Order(StringComparer.Ordinal));
    }

    /// <param name="isReceived">Whether the upload has all its bytes, and a handler that failed.</param>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Upload_of_a_removed_endpoint_is_deleted_without_events_of_others(bool isReceived)
    {
        await using (TestApp app = await StartAsync("host", ["A"]))
        {
            (await app.Client.AppendAsync("A", 0, new ByteArrayContent([1]), isReceived ? 1 : 2, "/upload", Headers("A"))).Dispose();
        }

        _isAvailable = true;
        _calls.Clear();
        _time.Advance(TimeSpan.FromDays(7));
        await using TestApp other = await StartAsync("host", ["B"]);
        await SweepAsync(other);
        Assert.Equal(1, await CountAsync());

        // The lifetime of a received upload begins at the next attempt of its handler, which was due after about a minute.
        _time.Advance(TimeSpan.FromDays(1) + TimeSpan.FromMinutes(2));
        await Eventually.TrueAsync(async () => await CountAsync() == 0, "the upload was deleted");
        await SweepAsync(other);
        Assert.Empty(_calls);
    }

    private static async Task SweepAsync(TestApp app)
    {
        foreach (UploadSweeper sweeper in UploadDispatcherFactory.FindSharedServices(app.Services)!.RunningSweepers)
        {
            await sweeper.SweepAsync(CancellationToken.None);
        }
    }

    private ValueTask<int> CountAsync() => _store.ListAsync(new UploadQuery(), CancellationToken.None).CountAsync();

    private static string Host(string id) => id + ".example";

    private static ApiVersion Version(string id) => new(id == "A" ? 1 : 2, 0);

    private static (string, string)[] Headers(string id) => [("Host", Host(id)), ("X-Api-Version", $"{Version(id)}"), ("X-File-Name", id)];

    private static string Url(string difference, string id) => difference is "group" or "options name" ? $"/{id}/upload" : "/upload";

    /// <summary>Starts an app with ready-made endpoints in an order.</summary>
    private Task<TestApp> StartAsync(string difference, string[] ids) => TestApp.StartAsync(
        services: builder =>
        {
            builder.Services.AddSingleton<TimeProvider>(_time);
            builder.Services.AddApiVersioning(static options => options.ApiVersionReader = new HeaderApiVersionReader("X-Api-Version"));
            foreach (string id in difference == "options name" ? ids : [])
            {
                builder.Services.AddResumableUploads(id, options => ConfigureHandler(options, id));
            }
        },
        after: app =>
        {
            ApiVersionSet versions = app.NewApiVersionSet().HasApiVersion(Version("A")).HasApiVersion(Version("B")).Build();
            foreach (string id in ids)
            {
                void ConfigureThis(ResumableUploadOptions options) => ConfigureHandler(options, id);
                _ = difference switch
                {
                    "group" => app.MapGroup("/" + id).MapResumableUploads("/upload", ConfigureThis),
                    "host" => app.MapResumableUploads("/upload", ConfigureThis).RequireHost(Host(id)),
                    "name" => app.MapResumableUploads("/upload", ConfigureThis).WithName(id).WithApiVersionSet(versions).MapToApiVersion(Version(id)),
                    _ => (object)app.Map("/" + id, branch => branch.UseResumableUploads(id)),
                };
            }
        },
        onTestHost: true,
        useUploads: false);

    private Task<TestApp> StartOwnOptionsAsync(bool isGroup, string[] ids) => EndpointApp.StartAsync(
        app =>
        {
            RouteGroupBuilder group = app.MapGroup("/group");
            _ = isGroup ? group.WithResumableUploads(options => Configure(options, "group")) : group;
            foreach (string id in ids)
            {
                _ = isGroup
                    ? group.MapPost("/" + id, static () => "")
                    : app.MapPost("/files", static () => "").RequireHost(Host(id)).WithResumableUploads(options => Configure(options, id));
            }
        },
        services: builder => builder.Services.AddSingleton<TimeProvider>(_time),
        onTestHost: true);

    private void ConfigureHandler(ResumableUploadOptions options, string endpoint)
    {
        Configure(options, endpoint);
        options.OnCompleted = (upload, _) =>
            _isAvailable ? AddAsync($"{endpoint} completes", upload) : throw new InvalidOperationException("The first attempt fails.");
    }

    private void Configure(ResumableUploadOptions options, string endpoint)
    {
        options.Store = _store;
        options.OnExpired = (upload, _) => AddAsync($"{endpoint} expires", upload);
    }

    private Task AddAsync(string call, UploadEvent upload)
    {
        _calls.Enqueue($"{call} {upload.RawFileName}");
        return Task.CompletedTask;
    }
}
