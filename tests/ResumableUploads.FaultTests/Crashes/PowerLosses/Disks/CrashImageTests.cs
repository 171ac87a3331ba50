using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;

/// <summary>The data that a disk may lose, and the data that it must keep.</summary>
public class CrashImageTests
{
    private const int Root = FileTree.Root;
    private static readonly Created File1 = new(Root, "file", 1, IsDirectory: false);
    private static readonly Written Data = new(1, 0, [1, 2, 3, 4]);

    [Fact]
    public void Operations_without_sync_are_pending() => AssertPending([0, 1], File1, Data);

    [Fact]
    public void Sync_of_a_file_does_not_sync_its_name() => AssertPending([0], File1, Data, new FileSynced(1));

    [Fact]
    public void Sync_of_a_directory_does_not_sync_its_files() => AssertPending([1], File1, Data, new DirectorySynced(Root));

    [Fact]
    public void Sync_of_a_directory_does_not_sync_its_own_name() => AssertPending(
        [0], new Created(Root, "d", 2, IsDirectory: true), new Created(2, "file", 1, IsDirectory: false), new DirectorySynced(2));

    [Fact]
    public void Operations_after_a_sync_are_pending() => AssertPending([3], File1, Data, new FileSynced(1), new Truncated(1, 2), new DirectorySynced(Root));

    [Fact]
    public void Rename_across_directories_is_durable_when_either_directory_is_synced()
    {
        DiskOperation[] log =
        [
            new Created(Root, "a", 2, IsDirectory: true), new Created(Root, "b", 3, IsDirectory: true), new DirectorySynced(Root),
            new Created(2, "other", 4, IsDirectory: false), new Created(2, "file", 1, IsDirectory: false), new Renamed(2, "file", 3, "file"),
            new Created(2, "later", 5, IsDirectory: false),
        ];
        AssertPending([3, 4, 5, 6], log);
        AssertPending([6], [.. log, new DirectorySynced(3)]);
        AssertPending([], [.. log, new DirectorySynced(2)]);
        Assert.Equal([3, 4, 5], new PendingOperations(log, log.Length).With(5).Order());
    }

    [Theory]
    [InlineData("Lost", new byte[] { 9 })]
    [InlineData("There", new byte[] { 1, 2, 3, 4 })]
    [InlineData("Torn", new byte[] { 1, 2 })]
    [InlineData("Zeros", new byte[] { 9, 0, 0, 0 })]
    [InlineData("Holed", new byte[] { 9, 0, 3, 4 })]
    public void Write_may_be_torn(string fate, byte[] expected) => Assert.Equal(
        expected, Image([File1, new Written(1, 0, [9]), Data], (2, Enum.Parse<Fate>(fate)))["file"]);

    [Fact]
    public void Write_may_be_kept_without_the_one_before_it() => Assert.Equal(
        new byte[] { 0, 0, 0, 0, 5 }, Image([File1, Data, new Written(1, 4, [5])], (1, Fate.Lost))["file"]);

    [Fact]
    public void Truncation_may_be_lost()
    {
        DiskOperation[] log = [File1, Data, new Truncated(1, 1)];
        Assert.Equal(new byte[] { 1 }, Image(log)["file"]);
        Assert.Equal(new byte[] { 1, 2, 3, 4 }, Image(log, (2, Fate.Lost))["file"]);
    }

    [Fact]
    public void Replacement_of_a_file_is_atomic()
    {
        DiskOperation[] log = [File1, Data, new Created(Root, "next", 2, IsDirectory: false), new Written(2, 0, [7]), new Renamed(Root, "next", Root, "file")];
        CrashImage before = Image(log, (4, Fate.Lost));
        Assert.Equal(["file", "next"], before.Paths);
        Assert.Equal(Data.Bytes, before["file"]);
        CrashImage after = Image(log);
        Assert.Equal(["file"], after.Paths);
        Assert.Equal(new byte[] { 7 }, after["file"]);
    }

    [Fact]
    public void Directory_without_a_durable_name_is_lost_with_its_content()
    {
        DiskOperation[] log = [new Created(Root, "d", 2, IsDirectory: true), new Created(2, "file", 1, IsDirectory: false), Data];
        Assert.Equal(["d", "d/file"], Image(log).Paths);
        Assert.Empty(Image(log, (0, Fate.Lost)).Paths);
    }

    [Fact]
    public void Choices_keep_the_order_of_names_and_cover_all_subsets_of_few_operations()
    {
        DiskOperation[] log = [File1, Data, new Created(Root, "second", 2, IsDirectory: false), new Renamed(Root, "second", Root, "third")];
        List<Dictionary<int, Fate>> choices = [.. CrashChoices.All(log, new PendingOperations(log, log.Length), sample: 50, new Random(1))];
        foreach (Dictionary<int, Fate> fates in choices)
        {
            Assert.True(fates[0] >= fates[2] && fates[2] >= fates[3], CrashChoices.Describe(log, fates));
        }

        // Four lengths of the journal, with and without the bytes, and the torn writes.
        Assert.Equal(8, choices.Where(static fates => fates[1] <= Fate.There).Select(static fates => string.Join(' ', fates.Values)).Distinct().Count());
        Assert.Contains(choices, static fates => fates[1] == Fate.Holed);
    }

    [Fact]
    public void Image_of_the_complete_log_equals_the_recorded_disk()
    {
        using var run = new CrashRun("recorded", 1);
        string directory = run.NewDirectory();
        var files = new RecordingFileLayer(directory, CrashRun.BootOf("zero"));
        string child = Path.Combine(directory, "a", "b");
        files.CreateDirectory(child);
        using (OpenFile file = files.CreateFile(Path.Combine(child, "one")))
        {
            files.Write(file, new byte[] { 1, 2, 3 }, 1);
            files.Truncate(file, 3);
        }

        using ReplacedFile? second = files.ReplaceFile(new FileReplacement(child, "one", "two", "two.tmp", FileReplacementMode.SyncFirst), [4]);
        using ReplacedFile? exchanged = files.ReplaceFile(new FileReplacement(child, "one", "two", "two.tmp", FileReplacementMode.Exchange), [5]);
        Assert.Equal("two.tmp", exchanged?.PreviousName);
        Assert.Null(files.ReplaceFile(new FileReplacement(child, "none", "three", "three.tmp", FileReplacementMode.SyncFirst), [6]));
        Assert.True(files.RenameDirectory(child, Path.Combine(directory, "c")));
        files.CreateDirectory(Path.Combine(directory, "gone", "too"));
        files.DeleteDirectory(Path.Combine(directory, "gone"), recursive: true);
        CrashImage image = Image([.. files.Log]);
        Assert.Equal(
            Directory.EnumerateFileSystemEntries(directory, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(directory, path)).Order(StringComparer.Ordinal),
            image.Paths);
        Assert.Equal(new byte[] { 0, 1, 2 }, image["c/one"]);
        Assert.Equal(File.ReadAllBytes(Path.Combine(directory, "c", "two")), image["c/two"]);

        // A layer on an existing directory treats its content as durable.
        var again = new RecordingFileLayer(directory, CrashRun.BootOf("one"));
        Assert.Equal(image.Signature, Image([.. again.Log]).Signature);
        Assert.Empty(new PendingOperations(again.Log, again.Log.Count).Indices);
    }

    [Fact]
    public void Sync_after_a_failed_one_makes_only_later_writes_durable() => AssertPending(
        [1],
        new Created(0, "file", 1, IsDirectory: false),
        new Written(1, 0, [1]),
        new SyncFailed(1),
        new Written(1, 1, [2]),
        new FileSynced(1),
        new DirectorySynced(0));

    private static void AssertPending(int[] expected, params DiskOperation[] log) => Assert.Equal(expected, new PendingOperations(log, log.Length).Indices);

    private static CrashImage Image(DiskOperation[] log, params (int Index, Fate Fate)[] fates) =>
        new(log, log.Length, fates.ToDictionary(static fate => fate.Index, static fate => fate.Fate));
}
