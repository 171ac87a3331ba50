using System.Globalization;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem;

/// <summary>Names of a directory that has more of them than are to be in memory.</summary>
public sealed class DirectoryWalkTests : IDisposable
{
    // In memory where the system has that: no store is tried here, and thousands of directories take their time on a real disk.
    private readonly string _directory = Directory.Exists("/dev/shm")
        ? Directory.CreateDirectory("/dev/shm/ru-walk-" + Guid.NewGuid().ToString("N")).FullName
        : Directory.CreateTempSubdirectory("ru-walk-").FullName;

    private readonly FileLayer _files = FileLayer.Default;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Names_are_read_in_order_and_in_several_turns()
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
    public void The_first_names_behind_a_name_are_those_of_a_sorted_list(int count)
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
    public void A_directory_that_is_not_there_has_no_names_and_one_that_cannot_be_read_is_told_of()
    {
        string missing = Path.Combine(_directory, "missing");
        Assert.Empty(DirectoryWalker.EnumerateNames(_files, missing, null, static _ => Assert.Fail("It is only missing.")));
        var failures = new List<Exception>();
        Assert.Empty(DirectoryWalker.EnumerateNames(new Unreadable(), _directory, null, failures.Add));
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

    private sealed class Unreadable : DelegatingFileLayer
    {
        public override List<string> GetDirectoryNames(string path, string? after, int count) => throw new UnauthorizedAccessException("no");
    }
}
