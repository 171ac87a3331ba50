using System.Globalization;
using ResumableUploads.Abstractions;
using ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses;

/// <summary>
/// Loses power at points of a history. RESUMABLE_UPLOADS_ROUNDS multiplies the length of a run, RESUMABLE_UPLOADS_SEED sets the first seed.
/// </summary>
/// <param name="name">The name in the failure message.</param>
/// <param name="seed">The seed of everything random, also in the failure message.</param>
internal sealed class CrashRun(string name, int seed) : IDisposable
{
    // In memory if the system supports it: no real power is lost, and thousands of small files take long on a real disk.
    private const string InMemory = "/dev/shm";

    private readonly string _place = Path.Combine(Directory.Exists(InMemory) ? InMemory : Path.GetTempPath(), "ru-power-" + Guid.NewGuid().ToString("N"));
    private readonly HashSet<(string, int)> _seen = [];
    private int _directories;

    public static int Rounds => Math.Max(1, Number("RESUMABLE_UPLOADS_ROUNDS"));

    public static int Seed => Math.Max(1, Number("RESUMABLE_UPLOADS_SEED"));

    /// <summary>Gets the name of the boot after the first power loss.</summary>
    public string NextBootName { get; init; } = "first";

    /// <summary>Gets the number of distinct disks that were verified.</summary>
    public int Images => _seen.Count;

    /// <summary>Returns a boot id of the length that systems use.</summary>
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

    /// <summary>Loses power after each operation, with each choice of lost data.</summary>
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
        if (!_seen.Add((image.Signature, history.Log.Take(prefix).Count(static operation => operation is Noted))))
        {
            return;
        }

        string directory = NewPath();
        image.WriteTo(directory);
        try
        {
            var first = new StoreVerifier(History.NewStore(directory, new NextBoot(NextBootName)));
            Dictionary<UploadKey, ExpectedUpload?> found = await first.InspectAsync(Expectations.At(history.Log, prefix));
            Expectations after = await first.ContinueAsync(found);
            FileSystemUploadStore second = History.NewStore(directory, new NextBoot("second"));
            await second.CleanUpAsync(default);
            await new StoreVerifier(second).InspectAsync(after);
        }
        catch (Exception e)
        {
            throw new ContractViolationException(Describe(history, prefix, fates, e.Message), e);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    public string Describe(History history, int prefix, IReadOnlyDictionary<int, Fate> fates, string message)
    {
        IEnumerable<string> last = Enumerable.Range(0, prefix).TakeLast(20).Select(i => $"  {i} {history.Log[i]}");
        return $"{message}.\n{name}, seed {seed}, power lost after {prefix} entries of the log, of which the last:\n{string.Join("\n", last)}\nNot durable were:\n{CrashChoices.Describe(history.Log, fates)}";
    }

    private static int Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 1;

    private int HashOf(int prefix) => unchecked((seed * 1_000_003) + prefix);

    private string NewPath() => Path.Combine(_place, (++_directories).ToString(CultureInfo.InvariantCulture));

    /// <summary>The machine after a restart. Syncs are skipped, because no power loss follows.</summary>
    private sealed class NextBoot(string boot) : DelegatingFileLayer
    {
        public override string BootId => BootOf(boot);

        public override void Sync(OpenFile file)
        {
        }

        public override void SyncDirectory(string path)
        {
        }

        public override ReplacedFile? ReplaceFile(in FileReplacement replacement, ReadOnlySpan<byte> content) =>
            base.ReplaceFile(replacement with { Mode = FileReplacementMode.Unsynced }, content);
    }
}
