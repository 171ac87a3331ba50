using System.Runtime.CompilerServices;

namespace ResumableUploads.UnitTests.Repository.Layering;

/// <summary>The direction of dependencies in the package: Hosting -> Protocols -> Engine -> Abstractions &lt;- Stores.</summary>
internal static class Layers
{
    private const string Web = "Microsoft.AspNetCore.";

    /// <summary>The layers to which each layer may refer, and the prefixes of external namespaces to which it must not.</summary>
    private static readonly Dictionary<string, (string[] Allowed, string[] Forbidden)> Rules = new()
    {
        ["Hosting"] = (["Hosting", "Protocols", "Engine", "Abstractions", "Stores", "Infrastructure"], []),
        ["Protocols"] = (["Protocols", "Engine", "Abstractions"], []),
        ["Engine"] = (["Engine", "Abstractions", "Infrastructure"], [Web]),
        ["Stores"] = (["Stores", "Abstractions", "Infrastructure"], [Web]),
        ["Abstractions"] = (["Abstractions"], [Web]),
        ["Infrastructure"] = (["Infrastructure"], [Web]),
    };

    /// <summary>The namespaces of public types and extension methods of the hosting layer.</summary>
    private static readonly string[] HostingNamespaces =
    [
        "ResumableUploads",
        "Microsoft.AspNetCore.Builder",
        "Microsoft.AspNetCore.Http",
        "Microsoft.AspNetCore.Hosting",
        "Microsoft.Extensions.DependencyInjection",
    ];

    /// <summary>Returns the layer of a type of the package, or <see langword="null"/> for other and generated types.</summary>
    public static string? Of(Type type)
    {
        while (type.DeclaringType is { } outer)
        {
            type = outer;
        }

        string name = type.Namespace ?? "";
        if (type.Assembly != typeof(ResumableUploadOptions).Assembly || type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false) || IsGenerated(name))
        {
            return null;
        }

        string[] parts = name.Split('.');
        return HostingNamespaces.Contains(name) ? "Hosting"
            : parts is ["ResumableUploads", var layer, ..] && Rules.ContainsKey(layer) ? layer
            : throw new InvalidOperationException($"{type} belongs to no layer.");
    }

    /// <summary>Returns the references that are not allowed.</summary>
    public static IEnumerable<string> Violations(IEnumerable<Type> types, Func<Type, string?> layerOf)
    {
        foreach (Type type in types)
        {
            if (layerOf(type) is not { } layer)
            {
                continue;
            }

            (string[] allowed, string[] forbidden) = Rules[layer];
            foreach (Type reference in TypeReferences.Of(type))
            {
                string name = reference.FullName ?? reference.Name;
                if ((layerOf(reference) is { } target && !allowed.Contains(target))
                    || (layerOf(reference) is null && forbidden.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))))
                {
                    yield return $"{layer}: {type} refers to {name}";
                }
            }
        }
    }

    private static bool IsGenerated(string name) => name.Length == 0
        || name.StartsWith("System.", StringComparison.Ordinal)
        || name is "Microsoft.CodeAnalysis" or "Microsoft.Extensions.Configuration.Binder.SourceGeneration";
}
