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
        Assert.Equal(FollowerLimit.UploadOrOwner, _followers.TryAdd(new UploadKey("owner", "a"), null, out _));
        Assert.Equal(FollowerLimit.None, _followers.TryAdd(new UploadKey("owner", "b"), null, out _));
    }

    [Fact]
    public void Owner_has_a_limit()
    {
        Add(ProgressFollowers.MaxPerOwner, static i => new UploadKey("owner", $"{i}"));
        Assert.Equal(FollowerLimit.UploadOrOwner, _followers.TryAdd(new UploadKey("owner", "next"), null, out _));
        Assert.Equal(FollowerLimit.None, _followers.TryAdd(new UploadKey("other", "next"), null, out _));
    }

    [Fact]
    public void Anonymous_clients_of_a_network_have_a_limit_together()
    {
        Add(ProgressFollowers.MaxPerOwner, static i => new UploadKey($"browser-{i}", "a"), "network");
        Assert.Equal(FollowerLimit.UploadOrOwner, _followers.TryAdd(new UploadKey("browser-next", "a"), "network", out _));
        Assert.Equal(FollowerLimit.None, _followers.TryAdd(new UploadKey("browser-next", "a"), "other", out _));
        Assert.Equal(FollowerLimit.None, _followers.TryAdd(new UploadKey("user", "a"), null, out _));
    }

    [Fact]
    public void Upload_of_anonymous_clients_has_a_limit_per_network()
    {
        Add(ProgressFollowers.MaxPerUpload, static _ => new UploadKey("anonymous", "a"), "network");
        Assert.Equal(FollowerLimit.UploadOrOwner, _followers.TryAdd(new UploadKey("anonymous", "a"), "network", out _));
        Assert.Equal(FollowerLimit.None, _followers.TryAdd(new UploadKey("anonymous", "a"), "other", out _));
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
