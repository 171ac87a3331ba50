using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Abuse;

/// <summary>A server in its own process, its resource usage, and a well-behaved client.</summary>
internal sealed class AbusedServer : IAsyncDisposable
{
    private const string InMemory = "/dev/shm";
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    private readonly DirectoryInfo _place;
    private readonly string[] _options;
    private ChildHost _child;
    private int _questions;
    private int _served;

    private AbusedServer(DirectoryInfo place, ChildHost child, string[] options)
    {
        _place = place;
        _options = options;
        _child = child;
        Uploads = new UploadDirectory(RootIn(place));
    }

    public UploadDirectory Uploads { get; }

    public Uri Address => _child.Address;

    public HttpClient Client => _child.Client;

    /// <param name="options">Additional command-line options, without the leading dashes.</param>
    public static Task<AbusedServer> StartAsync(params string[] options) => StartUnderAsync([], options);

    /// <summary>Starts the server under another command, which precedes it on the command line.</summary>
    public static async Task<AbusedServer> StartUnderAsync(string[] command, params string[] options)
    {
        Needs.Require(OperatingSystem.IsLinux(), "Reads the resource usage from /proc.");

        // Each thread of the store keeps some memory and a few buffers, up to its limit. A low limit leaves what the tests measure.
        options = ["ResumableUploads:FileSystem:MaxThreads=8", .. options];

        // Disk speed is not tested here, and a slow disk would only prolong the test.
        DirectoryInfo place = Directory.Exists(InMemory)
            ? Directory.CreateDirectory(Path.Combine(InMemory, "abuse-test-" + Guid.NewGuid().ToString("n")))
            : Directory.CreateTempSubdirectory("abuse-test-");
        try
        {
            return new AbusedServer(place, await ChildHost.StartUnderAsync(command, RootIn(place), options), options);
        }
        catch
        {
            UploadDirectory.Delete(place.FullName);
            throw;
        }
    }

    /// <summary>Returns the cookie of an owner.</summary>
    public static string Cookie(int owner) => "resumable-uploads-owner=" + Base64Url.EncodeToString(SHA256.HashData(BitConverter.GetBytes(owner)));

    public ServerUsage Usage() => ServerUsage.Of(_child.Id);

    public async Task StopAsync()
    {
        _child.Terminate();
        await _child.EndAsync();
    }

    /// <summary>Starts a new process on the same directory after the previous one has exited.</summary>
    public async Task StartAgainAsync()
    {
        await _child.DisposeAsync();
        _child = await ChildHost.StartAsync(Uploads.Root, _options);
    }

    /// <summary>Returns the processor time of a status request: the least of several measurements.</summary>
    public async Task<TimeSpan> MeasureRequestAsync()
    {
        const int Measurements = 3;
        const int Requests = 2000;
        TimeSpan least = TimeSpan.MaxValue;
        for (int i = 0; i < Measurements; i++)
        {
            TimeSpan before = Usage().Processor;
            for (int request = 0; request < Requests; request++)
            {
                await StatusAsync("unknown", Cookie(0));
            }

            TimeSpan used = (Usage().Processor - before) / Requests;
            least = used < least ? used : least;
        }

        return least;
    }

    /// <summary>Returns the number of bytes of live objects after a full garbage collection.</summary>
    public async Task<long> GetLiveMemoryAsync()
    {
        string question = $"alive {++_questions} ";
        Task<string> answer = _child.PrintsAsync(line => line.StartsWith(question, StringComparison.Ordinal));
        await _child.WriteLineAsync("collect " + _questions.ToString(CultureInfo.InvariantCulture));
        return long.Parse((await answer)[question.Length..], CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// Repeats a round of requests, and asserts that the live memory grows by no more than a limit in one of the rounds after the first. The pools of the server
    /// grow in some rounds, more often on a busy machine, but what each request keeps adds up in all of them.
    /// </summary>
    /// <param name="round">Runs a round. The argument is its number, beginning with 0.</param>
    /// <param name="maxGrowth">The maximum growth in bytes.</param>
    /// <returns>The number of rounds, and the growth in each after the first, for the output of the test.</returns>
    public async Task<(int Rounds, string Growths)> AssertKeepsNoMemoryAsync(Func<int, Task> round, long maxGrowth)
    {
        const int MaxRounds = 6;
        await round(0);
        long alive = await GetLiveMemoryAsync();
        List<long> growths = [];
        do
        {
            await round(growths.Count + 1);
            long previous = alive;
            alive = await GetLiveMemoryAsync();
            growths.Add(alive - previous);
        }
        while (growths[^1] > maxGrowth && growths.Count < MaxRounds);

        string text = $"{string.Join(", ", growths.Select(static growth => growth / 1024))} KiB more alive after each round";
        Assert.True(growths[^1] <= maxGrowth, text);
        return (growths.Count + 1, text);
    }

    /// <summary>Counts the uploads in the store. Uploads may be created and deleted meanwhile.</summary>
    public int CountUploads() => new DirectoryInfo(Path.Combine(Uploads.Root, "uploads"))
        .EnumerateFiles("record.json", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true }).Count();

    /// <summary>Waits until a condition is true.</summary>
    public static async Task WaitUntilAsync(Func<bool> condition, string what, TimeSpan? timeout = null)
    {
        using var timer = new PeriodicTimer(Step);
        long began = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < (timeout ?? ChildHost.Timeout), $"Timed out waiting until {what}.");
            await timer.WaitForNextTickAsync();
        }
    }

    /// <summary>Uploads a file of another owner in chunks, checks the status between them, and asserts that the upload completes.</summary>
    public async Task AssertServesOtherOwnerAsync(int size = 2 << 20, int pieces = 4)
    {
        byte[] content = RandomNumberGenerator.GetBytes(size);
        string name = $"honest-{++_served:d3}.bin";
        (string, string) cookie = ("Cookie", Cookie(-_served));
        for (int i = 0; i < pieces; i++)
        {
            int offset = size / pieces * i;
            int end = i == pieces - 1 ? size : size / pieces * (i + 1);
            using (HttpResponseMessage response = await Client.AppendAsync(name, offset, content[offset..end], size, cookie, ("X-File-Name", name)))
            {
                Assert.Equal(200, (int)response.StatusCode);
                Assert.Equal(end == size ? "true" : "false", response.Header("X-Upload-Complete"));
            }

            Assert.Equal(end, await StatusAsync(name, cookie.Item2));
        }

        Uploads.AssertFinished(name, content);
    }

    /// <summary>Returns the offset that the server reports to the owner of an upload.</summary>
    public async Task<long> StatusAsync(string fileId, string cookie)
    {
        using var question = new HttpRequestMessage(HttpMethod.Get, "/status");
        question.Headers.Add("X-File-Id", fileId);
        question.Headers.Add("Cookie", cookie);
        using HttpResponseMessage status = await Client.SendAsync(question);
        Assert.Equal(200, (int)status.StatusCode);
        return long.Parse(await status.Content.ReadAsStringAsync(), CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        await _child.DisposeAsync();
        UploadDirectory.Delete(_place.FullName);
    }

    private static string RootIn(DirectoryInfo place) => Path.Combine(place.FullName, "uploads");
}
