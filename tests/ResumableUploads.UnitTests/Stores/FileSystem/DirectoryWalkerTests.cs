using System.Globalization;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.IO.Directories;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem;

/// <summary>Directories with more names than one batch.</summary>
public sealed class DirectoryWalkerTests : IDisposable
{
    // In memory if the system has /dev/shm, because creating thousands of directories on a disk is slow.
    private readonly string _directory = Directory.Exists("/dev/shm")
        ? Directory.CreateDirectory("/dev/shm/ru-walk-" + Guid.NewGuid().ToString("N")).FullName
        : Directory.CreateTempSubdirectory("ru-walk-").FullName;

    private readonly FileLayer _files = FileLayer.Default;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void EnumerateNames_returns_ordered_names_across_batches()
    {
        string[] names = Create(DirectoryWalker.BatchSize + 100);
        Assert.Equal(names, Walk(null));
        Assert.Equal(names[^50..], Walk(names[^51]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100)]
    [InlineData(101)]
    public void GetDirectoryNames_returns_the_first_names_after_a_name(int count)
    {
        string[] names = Create(100);
        File.WriteAllText(Path.Combine(_directory, "a-file"), "");
        Assert.Equal(names.Take(count), _files.GetDirectoryNames(_directory, null, count));
        for (int i = 0; i < names.Length; i++)
        {
            Assert.Equal(names.Skip(i + 1).Take(count), _files.GetDirectoryNames(_directory, names[i], count));
            Assert.Equal(names.Skip(i + 1).Take(count), _files.GetDirectoryNames(_directory, names[i] + "-", count));
        }
    }

    [Fact]
    public void EnumerateNames_of_an_unreadable_directory_reports_the_error()
    {
        string missing = Path.Combine(_directory, "missing");
        Assert.Empty(DirectoryWalker.EnumerateNames(_files, missing, null, static _ => Assert.Fail("A missing directory is not an error.")));
        var failures = new List<Exception>();
        Assert.Empty(DirectoryWalker.EnumerateNames(new UnreadableFileLayer(), _directory, null, failures.Add));
        Assert.IsType<UnauthorizedAccessException>(Assert.Single(failures));
    }

    private IEnumerable<string> Walk(string? after) => DirectoryWalker.EnumerateNames(_files, _directory, after, static e => throw e);

    private string[] Create(int count)
    {
        string[] names = [.. Enumerable.Range(0, count).Select(i => (i * 7919 % 1_000_003).ToString(CultureInfo.InvariantCulture) + (i % 3 == 0 ? "-a" : "b"))];
        foreach (string name in names)
        {
            Directory.CreateDirectory(Path.Combine(_directory, name));
        }

        return [.. names.Order(StringComparer.Ordinal)];
    }

    private sealed class UnreadableFileLayer : DelegatingFileLayer
    {
        public override List<string> GetDirectoryNames(string path, string? after, int count) => throw new UnauthorizedAccessException("no");
    }
}
