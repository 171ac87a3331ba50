using System.Globalization;
using ResumableUploads.Abstractions;
using ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses;

/// <summary>
/// Power that goes at some point of a history. For longer runs: RESUMABLE_UPLOADS_ROUNDS is by how much, and RESUMABLE_UPLOADS_SEED the
/// first seed.
/// </summary>
/// <param name="name">What a failure is told with.</param>
/// <param name="seed">What decides all that is random, and is told as well.</param>
internal sealed class CrashRun(string name, int seed) : IDisposable
{
    // In memory where the system has that: no power goes, and thousands of small files take their time on a real disk.
    private const string InMemory = "/dev/shm";

    private readonly string _place = Path.Combine(Directory.Exists(InMemory) ? InMemory : Path.GetTempPath(), "ru-power-" + Guid.NewGuid().ToString("N"));
    private readonly HashSet<(string, int)> _seen = [];
    private int _directories;

    public static int Rounds => Math.Max(1, Number("RESUMABLE_UPLOADS_ROUNDS"));

    public static int Seed => Math.Max(1, Number("RESUMABLE_UPLOADS_SEED"));

    /// <summary>The name of the boot after the first loss.</summary>
    public string NextBootName { get; init; } = "first";

    /// <summary>How many disks were looked at, each of them another one.</summary>
    public int Images => _seen.Count;

    /// <summary>As long as the names that systems give.</summary>
    public static string BootOf(string name) => name.PadLeft(36, '-');

    public void Dispose()
    {
        if (Directory.Exists(_place))
        {
            Directory.Delete(_place, recursive: true);
        }
    }

    public string NewDirectory()
    {
        string directory = NewPath();
        Directory.CreateDirectory(directory);
        return directory;
    }

    /// <summary>After each operation, with each choice.</summary>
    public async Task TryAllAsync(History history, int sample)
    {
        for (int prefix = history.Beginning; prefix <= history.Log.Count; prefix++)
        {
            var pending = new PendingOperations(history.Log, prefix);
            foreach (Dictionary<int, Fate> fates in CrashChoices.All(history.Log, pending, sample, new Random(HashOf(prefix))))
            {
                await TryAsync(history, prefix, fates);
            }
        }
    }

    public async Task TryAsync(History history, int prefix, IReadOnlyDictionary<int, Fate> fates)
    {
        var image = new CrashImage(history.Log, prefix, fates);
        if (!_seen.Add((image.Signature, history.Log.Take(prefix).Count(static operation => operation is Said))))
        {
            return;
        }

        string directory = NewPath();
        image.WriteTo(directory);
        try
        {
            var first = new StoreLook(History.NewStore(directory, new NextBoot(NextBootName)));
            Dictionary<UploadKey, ExpectedUpload?> found = await first.LookAsync(Expectations.At(history.Log, prefix));
            Expectations after = await first.GoOnAsync(found);
            FileSystemUploadStore second = History.NewStore(directory, new NextBoot("second"));
            await second.CleanUpAsync(default);
            await new StoreLook(second).LookAsync(after);
        }
        catch (Exception e)
        {
            throw new LawBrokenException(Tell(history, prefix, fates, e.Message), e);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    public string Tell(History history, int prefix, IReadOnlyDictionary<int, Fate> fates, string message)
    {
        IEnumerable<string> last = Enumerable.Range(0, prefix).TakeLast(20).Select(i => $"  {i} {history.Log[i]}");
        return $"{message}.\n{name}, seed {seed}, power lost after {prefix} entries of the log, of which the last:\n{string.Join("\n", last)}\nNot durable were:\n{CrashChoices.Tell(history.Log, fates)}";
    }

    private static int Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 1;

    private int HashOf(int prefix) => unchecked((seed * 1_000_003) + prefix);

    private string NewPath() => Path.Combine(_place, (++_directories).ToString(CultureInfo.InvariantCulture));

    /// <summary>The machine has been started again. Nothing is made durable: no power goes while somebody looks.</summary>
    private sealed class NextBoot(string boot) : DelegatingFileLayer
    {
        public override string BootId => BootOf(boot);

        public override void Sync(OpenFile file)
        {
        }

        public override void SyncDirectory(string path)
        {
        }

        public override bool ReplaceFile(in FileReplacement replacement, ReadOnlySpan<byte> content) =>
            base.ReplaceFile(replacement with { Sync = false }, content);
    }
}
