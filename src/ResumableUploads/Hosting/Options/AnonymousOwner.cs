namespace ResumableUploads;

/// <summary>Specifies who owns the uploads of clients that are not signed in.</summary>
public enum AnonymousOwner
{
    /// <summary>
    /// Each browser is a separate owner, identified by a random cookie. Clients without cookies (curl, devices, pages of other sites) share
    /// one owner.
    /// </summary>
    PerBrowser = 0,

    /// <summary>All anonymous clients share one owner: a client that knows a file id can continue, complete or delete that upload.</summary>
    Shared = 1,

    /// <summary>Anonymous clients are rejected with 401.</summary>
    Reject = 2,
}
