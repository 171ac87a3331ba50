using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Protocols.Ietf;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.Clients.IetfClient;

namespace ResumableUploads.FunctionalTests.Protocols.Ietf;

/// <summary>Limits and their discovery (draft-ietf-httpbis-resumable-upload-12, section 4.1.4).</summary>
public class IetfLimitTests
{
    private static readonly byte[] File = Encoding.ASCII.GetBytes("0123456789");

    public static TheoryData<string, string> Everywhere => IetfApp.Everywhere;

    public static TheoryData<int> Versions => IetfClient.Versions;

    [Theory]
    [InlineData(100, 0, null, 0, null, "max-size=100")]
    [InlineData(100, 5, 50L, 7, 60, "max-size=100, min-size=5, max-append-size=50, min-append-size=7, max-age=60")]
    [InlineData(long.MaxValue, 0, null, 0, null, "min-size=0")]
    [InlineData(999_999_999_999_999, 0, null, 0, -5, "max-size=999999999999999, max-age=0")]
    [InlineData(1_000_000_000_000_000, 0, null, 0, 86400, "max-age=86400")]
    public void Upload_Limit_is_a_dictionary_of_integers_and_never_empty(
        long maxSize, long minSize, long? maxAppend, long minAppend, int? left, string expected) =>
        Assert.Equal(expected, new IetfLimits(maxSize, minSize, maxAppend, minAppend).FormatHeader("max-age", left is { } seconds ? TimeSpan.FromSeconds(seconds) : null));

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task OPTIONS_returns_200_with_effective_limits(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire, static options =>
        {
            options.MaxUploadSize = 1000;
            options.Limits.MaxAppendSize = 600;
            options.Ietf.MinAppendSize = 3;
            options.Ietf.MinUploadSize = 2;
            options.Expiration = TimeSpan.FromHours(1);
        });
        string url = await app.Client.BeginAsync();
        foreach (string at in new[] { IetfApp.Url, url })
        {
            using HttpResponseMessage response = await app.Client.IetfAsync("OPTIONS", at, Newest);
            Assert.Equal(200, (int)response.StatusCode);
            Assert.Equal("max-size=1000, min-size=2, max-append-size=600, min-append-size=3, max-age=3600", response.Header("Upload-Limit"));
            Assert.Equal("application/partial-upload", response.Header("Accept-Patch"));
            Assert.Equal("1.0.0", response.Header("Tus-Version"));
        }
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Lifetime_is_expires_in_version_6_and_max_age_later(int version)
    {
        await using IetfApp app = await IetfApp.StartAsync(configure: static options => options.Expiration = TimeSpan.FromHours(1));
        string? expected = version switch { < 6 => null, 6 => "expires=3600", _ => "max-age=3600" };
        using HttpResponseMessage options = await app.Client.IetfAsync("OPTIONS", IetfApp.Url, version);
        Assert.Equal(expected, options.Header("Upload-Limit")?.Split(", ")[^1]);
    }

    [Fact]
    public async Task Lifetime_is_the_remaining_time_and_never_shortened()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(50));
        await using IetfApp app = await IetfApp.StartAsync(
            configure: options =>
            {
                (options.Expiration, options.Timeouts.MaxAge) = (TimeSpan.FromSeconds(1000), TimeSpan.FromSeconds(1500));
                options.Store = new MemoryUploadStore(timeProvider: time);
            },
            services: builder => builder.Services.AddSingleton<TimeProvider>(time));
        string url = await app.Client.BeginAsync();
        Assert.Equal(1000, await GetLifetimeAsync());
        time.Advance(TimeSpan.FromSeconds(300));
        Assert.Equal(700, await GetLifetimeAsync());
        using (HttpResponseMessage appended = await app.Client.AppendAsync(url, 0, false, File))
        {
            Assert.Equal(204, (int)appended.StatusCode);
        }

        Assert.Equal(1000, await GetLifetimeAsync());
        time.Advance(TimeSpan.FromSeconds(900));
        using (HttpResponseMessage appended = await app.Client.AppendAsync(url, 10, false, File))
        {
            Assert.Equal(204, (int)appended.StatusCode);
        }

        // Bounded by MaxAge.
        Assert.Equal(300, await GetLifetimeAsync());
        time.Advance(TimeSpan.FromSeconds(301));
        Assert.Null(await app.Client.StateAsync(url));

        async Task<int> GetLifetimeAsync()
        {
            using HttpResponseMessage head = await app.Client.HeadAsync(url);
            return int.Parse(head.Header("Upload-Limit")!.Split("max-age=")[1]);
        }
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Size_above_max_size_returns_413_with_limits(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire, static options => options.MaxUploadSize = 9);
        foreach (bool isLast in new[] { true, false })
        {
            using HttpResponseMessage creation = await app.Client.CreateAsync(isLast, File);
            await creation.ProblemAsync(413, Own + "too-large");
            Assert.StartsWith("max-size=9", creation.Header("Upload-Limit"), StringComparison.Ordinal);
        }

        using HttpResponseMessage stated = await app.Client.CreateAsync(false, [], Newest, ("Upload-Length", "10"));
        await stated.ProblemAsync(413, Own + "too-large");
        string url = await app.Client.BeginAsync();
        using HttpResponseMessage append = await app.Client.AppendAsync(url, 0, false, ProblemExpectations.Chunked(File));
        await append.ProblemAsync(413, Own + "too-large");
        Assert.StartsWith("max-size=9", append.Header("Upload-Limit"), StringComparison.Ordinal);
        using HttpResponseMessage full = await app.Client.AppendAsync(url, 9, true, [1]);
        await full.ProblemAsync(413, Own + "too-large");
        Assert.Empty(app.Seen);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Content_above_max_append_size_returns_413_with_limits(int version)
    {
        await using IetfApp app = await IetfApp.StartAsync(configure: static options => options.Limits.MaxAppendSize = 6);
        foreach (bool isLast in new[] { true, false })
        {
            using HttpResponseMessage creation = await app.Client.CreateAsync(isLast, File, version);
            Assert.Equal((version, version >= 9 ? 413 : isLast ? 204 : 201), (version, (int)creation.StatusCode));
            string url = await app.Client.BeginAsync(version);
            using HttpResponseMessage append = await app.Client.AppendAsync(url, 0, isLast, File, version);
            if (version < 6)
            {
                Assert.Equal(isLast ? 204 : 201, (int)append.StatusCode);
                continue;
            }

            await append.ProblemAsync(413, Own + "append-too-large");
            Assert.Contains("max-append-size=6", append.Header("Upload-Limit"), StringComparison.Ordinal);
            Assert.Equal((0, false), await app.Client.StateAsync(url));
        }
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Content_of_unknown_length_above_a_limit_is_partly_kept(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire, static options => options.Limits.MaxAppendSize = 6);
        string url = await app.Client.BeginAsync();
        using HttpResponseMessage append = await app.Client.AppendAsync(url, 0, true, ProblemExpectations.Chunked(File));
        await append.ProblemAsync(413, Own + "append-too-large");
        Assert.Equal("6", append.Header("Upload-Offset"));
        using HttpResponseMessage rest = await app.Client.AppendAsync(url, 6, true, File[6..]);
        Assert.Equal("?1", rest.Header("Upload-Complete"));
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Content_below_min_append_size_returns_400_unless_last(int version)
    {
        await using IetfApp app = await IetfApp.StartAsync(configure: static options => options.Ietf.MinAppendSize = 6);
        bool isBound = version >= 6;
        string url = await app.Client.BeginAsync(version);
        foreach (int size in new[] { 5, 0 })
        {
            using HttpResponseMessage part = await app.Client.AppendAsync(url, 0, false, File[..size], version);
            Assert.Equal((version, size, isBound ? 400 : 201), (version, size, (int)part.StatusCode));
            if (isBound)
            {
                await part.ProblemAsync(400, Own + "append-too-small");
                Assert.Contains("min-append-size=6", part.Header("Upload-Limit"), StringComparison.Ordinal);
            }

            if (!isBound)
            {
                url = await app.Client.BeginAsync(version);
            }
        }

        using HttpResponseMessage creation = await app.Client.CreateAsync(false, File[..5], version);
        Assert.Equal((version, version >= 9 ? 400 : 201), (version, (int)creation.StatusCode));
        using HttpResponseMessage last = await app.Client.AppendAsync(url, 0, true, File[..5], version);
        Assert.Equal(204, (int)last.StatusCode);
        using HttpResponseMessage whole = await app.Client.CreateAsync(true, File[..5], version);
        Assert.Equal(204, (int)whole.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Incomplete_creation_below_min_size_returns_400(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire, static options => options.Ietf.MinUploadSize = 11);
        using HttpResponseMessage incomplete = await app.Client.CreateAsync(false, [], Newest, ("Upload-Length", "10"));
        await incomplete.ProblemAsync(400, Own + "too-small");
        Assert.Contains("min-size=11", incomplete.Header("Upload-Limit"), StringComparison.Ordinal);
        using HttpResponseMessage whole = await app.Client.CreateAsync(true, File);
        Assert.Equal("?1", whole.Header("Upload-Complete"));
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Fact]
    public async Task OPTIONS_of_the_application_takes_precedence()
    {
        await using TestApp app = await EndpointApp.StartAsync(static app =>
        {
            app.MapPost("/a", static (Stream body) => "a").WithResumableUploads();
            app.MapMethods("/a", ["OPTIONS"], static () => "mine");
        });
        using HttpResponseMessage response = await app.Client.IetfAsync("OPTIONS", "/a", Newest);
        Assert.Equal("mine", await response.Content.ReadAsStringAsync());
    }
}
