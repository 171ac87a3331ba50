using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Cli.Running;

namespace ResumableUploads.UnitTests.Cli;

public sealed class StateDirectoryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("cli-state-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Path_is_in_the_state_directory_of_the_user()
    {
        Assert.Equal(Path.Combine(_root, "resup"), StateDirectory.GetPath(name => name == "XDG_STATE_HOME" ? _root : null));
        Assert.True(Path.IsPathFullyQualified(StateDirectory.GetPath(static name => name == "XDG_STATE_HOME" ? "relative" : null)));
    }

    [Fact]
    public void Files_older_than_a_month_are_deleted()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero));
        var state = new StateDirectory(_root);
        string old = Create("uploads/old.json", time.GetUtcNow().AddDays(-31));
        string oldLock = Create("locks/old.lock", time.GetUtcNow().AddDays(-31));
        string recent = Create("completed/recent.json", time.GetUtcNow().AddDays(-29));
        string foreign = Create("notes.txt", time.GetUtcNow().AddDays(-31));

        state.DeleteOldFiles(time);

        Assert.False(File.Exists(old));
        Assert.False(File.Exists(oldLock));
        Assert.True(File.Exists(recent));
        Assert.True(File.Exists(foreign));
    }

    [Fact]
    public void Lock_excludes_another_until_it_is_released()
    {
        var state = new StateDirectory(_root);
        using (IDisposable? first = state.TryLock("a"))
        {
            Assert.NotNull(first);
            Assert.Null(state.TryLock("a"));
            using IDisposable? other = state.TryLock("b");
            Assert.NotNull(other);
        }

        using IDisposable? again = state.TryLock("a");
        Assert.NotNull(again);
    }

    private string Create(string path, DateTimeOffset time)
    {
        string full = Path.Combine(_root, path);
        File.WriteAllText(full, "{}");
        File.SetLastWriteTimeUtc(full, time.UtcDateTime);
        return full;
    }
}
