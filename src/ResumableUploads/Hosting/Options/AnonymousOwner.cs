namespace ResumableUploads;

/// <summary>Specifies who owns the uploads of clients that are not signed in.</summary>
public enum AnonymousOwner
{
    /// <summary>
    /// For file ids, each browser that keeps a random cookie is a separate owner; a status request sets the cookie. Clients without cookies (curl, devices,
    /// pages of other sites) share one owner. An upload with a random URL (tus, the IETF draft) needs no cookie: any anonymous client that knows the URL
    /// can continue it.
    /// </summary>
    PerBrowser = 0,

    /// <summary>All anonymous clients share one owner: a client that knows a file id can continue, complete or delete that upload.</summary>
    Shared = 1,

    /// <summary>Anonymous clients are rejected with 401.</summary>
    Reject = 2,
}
