using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;
using ResumableUploads.UnitTests.Engine.Expiration;

namespace ResumableUploads.UnitTests.Stores.FileSystem;

/// <summary>A directory that becomes unusable while the server runs, and a clock that jumps.</summary>
public class HostileEnvironmentTests
{
    public static readonly TheoryData<string> Failures = ["permission", "read-only"];

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Directory_that_becomes_unusable_is_503_until_it_is_usable(string failure)
    {
        var files = new UnwritableFiles();
        await using TestApp app = await TestApp.StartAsync(
            options => options.Store = new FileSystemUploadStore(
                new FileSystemUploadStoreOptions { Directory = options.Directory!, Durability = ResumableUploads.Abstractions.Durability.ProcessCrash }, TimeProvider.System, new LogList(), files),
            onTestHost: true);
        using HttpResponseMessage first = await app.Client.AppendAsync("f", 0, new byte[4], 10);
        Assert.Equal(200, (int)first.StatusCode);

        files.Error = failure == "permission" ? static () => new UnauthorizedAccessException("Permission denied") : static () => new IOException("Read-only file system", 30);
        using HttpResponseMessage append = await app.Client.AppendAsync("f", 4, new byte[6], 10);
        using HttpResponseMessage creation = await app.Client.AppendAsync("g", 0, new byte[4], 10);
        Assert.Equal((503, 503), ((int)append.StatusCode, (int)creation.StatusCode));
        Assert.Contains("storage-failed", await append.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(4, await app.Client.StatusAsync("f"));

        files.Error = null;
        using HttpResponseMessage last = await app.Client.AppendAsync("f", 4, new byte[6], 10);
        Assert.Equal(200, (int)last.StatusCode);
        Assert.Equal(10, Assert.Single(app.Finished).Content.Length);
    }

    /// <param name="hours">The jump of the wall clock after the first append.</param>
    /// <param name="inMemory">Whether the store is in memory.</param>
    [Theory]
    [InlineData(-87600, false)]
    [InlineData(-24, true)]
    [InlineData(1, true)]
    [InlineData(169, false)]
    [InlineData(87600, true)]
    [InlineData(87600, false)]
    public async Task Clock_jump_keeps_the_upload(int hours, bool inMemory)
    {
        var time = new JumpingTimeProvider();
        await using TestApp app = await TestApp.StartAsync(
            options =>
            {
                if (inMemory)
                {
                    options.Store = new ResumableUploads.Stores.Memory.MemoryUploadStore(timeProvider: time);
                }
            },
            builder => builder.Services.AddSingleton<TimeProvider>(time),
            onTestHost: true);
        using HttpResponseMessage first = await app.Client.AppendAsync("f", 0, new byte[4], 10);
        Assert.Equal(200, (int)first.StatusCode);

        // The wall clock changes, and no timer fires.
        time.Error = TimeSpan.FromHours(hours);
        Assert.Equal(4, await app.Client.StatusAsync("f"));
        using HttpResponseMessage last = await app.Client.AppendAsync("f", 4, new byte[6], 10);
        Assert.Equal(200, (int)last.StatusCode);
        Assert.Equal(10, Assert.Single(app.Finished).Content.Length);
        using HttpResponseMessage replay = await app.Client.AppendAsync("f", 10, [], 10);
        Assert.Equal(200, (int)replay.StatusCode);
    }

    private sealed class UnwritableFiles : DelegatingFileLayer
    {
        public Func<Exception>? Error { get; set; }

        public override OpenFile OpenWrite(string path) => Error is { } error ? throw error() : base.OpenWrite(path);

        public override OpenFile CreateFile(string path) => Error is { } error ? throw error() : base.CreateFile(path);

        public override bool TryCreateDirectory(string path) => Error is { } error ? throw error() : base.TryCreateDirectory(path);
    }
}
