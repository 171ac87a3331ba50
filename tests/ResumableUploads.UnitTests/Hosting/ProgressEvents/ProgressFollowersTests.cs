using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.ProgressEvents;

namespace ResumableUploads.UnitTests.Hosting.ProgressEvents;

public class ProgressFollowersTests
{
    private readonly ProgressFollowers _followers = new();

    [Fact]
    public void Upload_has_a_limit()
    {
        Add(ProgressFollowers.MaxPerUpload, static _ => new UploadKey("owner", "a"));
        Assert.Equal(FollowerLimit.Owner, _followers.TryAdd(new UploadKey("owner", "a"), null, out _));
        Assert.Equal(FollowerLimit.None, _followers.TryAdd(new UploadKey("owner", "b"), null, out _));
    }

    [Fact]
    public void Owner_and_network_have_a_limit()
    {
        Add(ProgressFollowers.MaxPerOwner, static i => new UploadKey("owner", $"{i}"), "network");
        Assert.Equal(FollowerLimit.Owner, _followers.TryAdd(new UploadKey("owner", "next"), "network", out _));
        Assert.Equal(FollowerLimit.None, _followers.TryAdd(new UploadKey("owner", "next"), "other", out _));
        Assert.Equal(FollowerLimit.None, _followers.TryAdd(new UploadKey("other", "next"), "network", out _));
    }

    [Fact]
    public void Process_has_a_limit()
    {
        Add(ProgressFollowers.MaxPerProcess, static i => new UploadKey($"owner{i}", "a"));
        Assert.Equal(FollowerLimit.Process, _followers.TryAdd(new UploadKey("owner", "a"), null, out IDisposable? refused));
        Assert.Null(refused);
    }

    [Fact]
    public void Disposed_follower_counts_once()
    {
        var key = new UploadKey("owner", "a");
        _followers.TryAdd(key, null, out IDisposable? first);
        _followers.TryAdd(key, null, out IDisposable? second);
        first!.Dispose();
        first.Dispose();
        Assert.Equal(1, _followers.Count);
        second!.Dispose();
        Assert.Equal(0, _followers.Count);
    }

    private void Add(int count, Func<int, UploadKey> createKey, string? network = null)
    {
        for (int i = 0; i < count; i++)
        {
            Assert.Equal(FollowerLimit.None, _followers.TryAdd(createKey(i), network, out _));
        }
    }
}
